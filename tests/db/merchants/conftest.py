"""Two merchants, one with two shops, an owner and two assistants."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import Engine

import merchants
from market.kit.database import transaction
from tests.stages import Begun, Stage

NOON = datetime(2026, 12, 1, 4, 5, tzinfo=UTC)
OFFICER = UUID(int=7)
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def make_credit_code(number: int) -> str:
    """A right unified social credit code (GB 32100), different for every number below 10^9."""
    body = f"91210300{number:09d}"
    weights = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
    total = sum(ALPHABET.index(letter) * weight for letter, weight in zip(body, weights, strict=True))
    return body + ALPHABET[-total % 31]


@dataclass(frozen=True)
class Market:
    """Ids of the small market."""

    noodles: UUID
    rice: UUID
    canteen: UUID
    kiosk: UUID
    rice_shop: UUID
    owner: UUID
    assistant: UUID
    kiosk_assistant: UUID


@pytest.fixture
def credit_code() -> Callable[[int], str]:
    """Right credit codes by number; 1 and 2 are taken by the market."""
    return make_credit_code


@pytest.fixture(scope="session")
def market_stage(bare_stage: Stage) -> Stage:
    return bare_stage.further("market", _build)


@pytest.fixture
def market(database: Engine, begun: Begun, market_stage: Stage) -> Market:
    """The small market, committed."""
    return begun.take("market", _build)


def _build() -> Market:
    with transaction() as tx:
        noodles = merchants.admit_merchant(
            tx, code="m_0001", name="兰州面馆", credit_code=make_credit_code(1), category="food", at=NOON
        )
        rice = merchants.admit_merchant(
            tx, code="m_0002", name="粮油店", credit_code=make_credit_code(2), category="grocery", at=NOON
        )
        canteen = merchants.add_shop(tx, merchant_id=noodles, code="s_0001", name="面馆一店", address="一街 1 号")
        kiosk = merchants.add_shop(
            tx, merchant_id=noodles, code="s_0002", name="面馆二店", address="二街 2 号", till="items"
        )
        rice_shop = merchants.add_shop(
            tx, merchant_id=rice, code="s_0003", name="东门粮油", address="三街 3 号", till="register"
        )
        return Market(
            noodles,
            rice,
            canteen,
            kiosk,
            rice_shop,
            owner=merchants.add_staff(tx, merchant_id=noodles, name="店主"),
            assistant=merchants.add_staff(tx, merchant_id=noodles, name="小王", shop_id=canteen),
            kiosk_assistant=merchants.add_staff(tx, merchant_id=noodles, name="小李", shop_id=kiosk),
        )
