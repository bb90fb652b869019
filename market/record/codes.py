"""What a code is: the only text that an entry of the public record may hold, beside keys, hashes and commitments. Pure.

What is in the record stays there. A name or a sentence stands beside it, where it can be removed (`market.record.texts`).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

MOST_SIGNS: Final = 64
_CODE: Final = re.compile(rf"[A-Za-z0-9_.:/+-]{{1,{MOST_SIGNS}}}", re.ASCII)


def is_code(value: object) -> bool:
    """Whether this is a text of 1 to 64 letters and digits of ASCII or `_ . : / + -`.

    That fits codes of merchants, shops, units and goods, `budget:lunch`, time zones, instants and times of day.
    """
    return type(value) is str and _CODE.fullmatch(value) is not None


def list_free_texts(document: object) -> Iterator[tuple[str, str]]:
    """Every text in a document of lists and objects that is no code, names of fields too, each with the field in which it stands.

    A field is named by its path (`match.skus`, `components.0.match.skus`); the place in a list of texts is left out.
    """
    # Whatever somebody wrote may be nested deeper than functions may call each other.
    waiting: list[tuple[str, object]] = [("", document)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            if not is_code(value):
                yield path, value
        elif isinstance(value, Mapping):
            yield from ((path, str(name)) for name in value if not is_code(name))
            inner = [(f"{path}.{name}" if path else name, one) for name, one in value.items() if is_code(name)]
            waiting.extend(reversed(inner))
        elif isinstance(value, list | tuple):
            inner = [(path if isinstance(one, str) else f"{path}.{place}", one) for place, one in enumerate(value)]
            waiting.extend(reversed(inner))
