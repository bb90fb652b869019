"""How the log's core refuses: text or bytes that are malformed, a proof or signature that does not hold, a tile that is not there."""


class MalformedError(ValueError):
    """Bytes that do not follow their format: which `part`, `where` in it, and what the `problem` is."""

    def __init__(self, part: str, where: str, problem: str) -> None:
        """For example: `checkpoint`, `line 2`, `the size is not a plain decimal number`."""
        self.part = part
        self.where = where
        self.problem = problem
        super().__init__(f"{part}, {where}: {problem}" if where else f"{part}: {problem}")


class NotProvedError(ValueError):
    """Well-formed, but it does not hold: a proof that leads to another root, a signature that is not the key's."""


class MissingTileError(LookupError):
    """A tile that a tree of this size must have was not found."""
