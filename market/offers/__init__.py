"""Offers and their immutable versions: proposal, approval by a second person, and the compiled offer book."""
