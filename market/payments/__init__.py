"""Payments: members pay merchants at a provider. Knows a purpose by an opaque id and believes signed events and retrieves only."""
