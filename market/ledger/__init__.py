"""The union's books: transfers that cannot be unbalanced, bounded balances that cannot be overdrawn, and the posting table."""
