"""The four families of domain errors. Each concrete error stands beside the operation that raises it; doors map a family to HTTP once."""

from typing import ClassVar, NoReturn


class DomainError(Exception):
    """An anticipated refusal: a stable `code`, facts as numbers and strings, and sentences that say what to do next.

    `zh` and `en` are format strings over `facts`; a fact never names a person or a secret, because refusals are kept and shown.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "DOMAIN_ERROR"
    zh: ClassVar[str] = ""
    en: ClassVar[str] = ""

    def __init__(self, **facts: str | int) -> None:
        """Keep the facts of this refusal; every name used in the sentences must be among them."""
        self.facts = facts
        super().__init__(self.sentence("en"))

    def sentence(self, language: str) -> str:
        """One plain sentence: what holds and the next step, in `zh` or `en`."""
        return (self.zh if language.startswith("zh") else self.en).format(**self.facts)


class NotFoundError(DomainError):
    """What was named does not exist for this caller."""

    status = 404
    code = "NOT_FOUND"
    zh = "没有找到这一项，请核对后重试。"
    en = "This item was not found; check it and try again."


class ConflictError(DomainError):
    """The state of the world forbids it now."""

    status = 409
    code = "CONFLICT"


class ForbiddenError(DomainError):
    """This caller may not do this."""

    status = 403
    code = "FORBIDDEN"
    zh = "您没有做这件事的权限，请换用有权限的账号。"
    en = "You may not do this; sign in with an account that may."


class InvalidError(DomainError):
    """The input itself is malformed; `field` names the part."""

    status = 422
    code = "INVALID"
    zh = "{field} 填写有误：{problem}。"
    en = "{field} is not right: {problem}."


class InvariantError(RuntimeError):
    """A programmer's error: something that can never be true was true."""


def invariant(condition: object, statement: str) -> None:
    """Raise `InvariantError` unless the condition holds; survives `python -O`, unlike `assert`."""
    if not condition:
        raise InvariantError(statement)


def unreachable(statement: str) -> NoReturn:
    """For a branch that the types cannot exclude but the design does."""
    raise InvariantError(statement)
