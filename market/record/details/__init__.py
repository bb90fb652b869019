"""Details exports: baskets and facts of sales with the salts that open their commitments, sealed to the key of one auditor. Pure.

The form is that of docs/record.md. Nothing here asks a database or a clock; no file holds a person's or a card's id.
"""
