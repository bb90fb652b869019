"""Whether a card may be used: one named refusal for each reason, none of which tells who the holder is. Pure."""

from datetime import date, datetime

from market.kit.clock import business_day
from market.kit.errors import ConflictError


class CardFrozenError(ConflictError):
    """The holder froze the card."""

    code = "CARD_FROZEN"
    zh = "这张卡已冻结，暂时不能使用。请会员到工会窗口解冻。"
    en = "This card is frozen. The member can have it unfrozen at the union desk."


class CardLostError(ConflictError):
    """The card was reported lost."""

    code = "CARD_LOST"
    zh = "这张卡已挂失，不能使用。请会员到工会窗口补卡。"
    en = "This card was reported lost. The member can get a new one at the union desk."


class CardReplacedError(ConflictError):
    """A newer card took its place."""

    code = "CARD_REPLACED"
    zh = "这张卡已换成新卡，不能再用。请会员出示新卡。"
    en = "This card was replaced. Please ask the member to show the new card."


class CardExpiredError(ConflictError):
    """The last day printed on the card has passed."""

    code = "CARD_EXPIRED"
    zh = "这张卡已过有效期。请会员到工会窗口换卡。"
    en = "This card is past its last valid day. The member can renew it at the union desk."


class MemberLeftError(ConflictError):
    """The holder is no longer a member; a till is not told so."""

    code = "MEMBER_LEFT"
    zh = "这张卡目前不能享受优惠。请会员到工会窗口核对。"
    en = "This card gives no offers at present. The member can ask at the union desk."


_BY_STATE = {"frozen": CardFrozenError, "lost": CardLostError, "replaced": CardReplacedError}


def ensure_usable(*, card_state: str, valid_until: date, member_state: str, at: datetime) -> None:
    """Raise the first refusal that holds: replaced, lost, frozen, past its last valid business day, member left."""
    if refusal := _BY_STATE.get(card_state):
        raise refusal
    if business_day(at) > valid_until:
        raise CardExpiredError
    if member_state == "left":
        raise MemberLeftError
