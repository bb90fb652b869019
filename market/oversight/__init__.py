"""Oversight: queries over what the other rooms wrote; writes nothing it watches."""
