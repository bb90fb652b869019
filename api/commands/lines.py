"""What commands print, line by line."""


def printable(line: str) -> str:
    """A line that stays one line whatever names a document uses: what cannot be printed is escaped."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in line)
