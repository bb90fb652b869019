"""Sales: quote with standing, redemption at a till, void and refund."""
