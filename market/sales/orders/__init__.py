"""Orders of the online internal purchase: placed, paid or released, handed out, returned. Stock moves with them in the ledger."""
