"""How large a demo works is. `works` is the model organisation in full, `plant` a tenth of it, `tiny` is for tests."""

from dataclasses import dataclass
from typing import Literal

SizeName = Literal["tiny", "plant", "works"]


@dataclass(frozen=True, slots=True)
class Size:
    """Counts of one size. `days` is how far back the sales go; `products` are the suppliers'."""

    name: SizeName
    plants: int
    workshops: int
    groups: int
    active: int
    retired: int
    merchants: int
    shops: int
    sales: int
    days: int
    suppliers: int
    products: int

    @property
    def members(self) -> int:
        """Active and retired."""
        return self.active + self.retired


SIZES: dict[str, Size] = {
    size.name: size
    for size in (
        Size("tiny", 2, 4, 8, 45, 15, 5, 6, 150, 60, 2, 14),
        Size("plant", 9, 36, 150, 2_200, 800, 30, 34, 23_000, 182, 6, 48),
        Size("works", 26, 180, 1_150, 22_000, 8_000, 300, 342, 230_000, 182, 24, 640),
    )
}
