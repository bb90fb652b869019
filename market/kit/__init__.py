"""What every room uses: database, money, clock, ids, idempotency, errors, settings. No domain words."""
