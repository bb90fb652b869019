"""Samples of the pages about offers: writing, approving, signing, the public history."""

from datetime import date, timedelta

from api.offer_form import KINDS
from api.pages import views as v
from api.pages.offer_pages import UNNAMED
from tests.gallery.frame import NOW, Sample

TERMS = ("商户让利", "满 30 元", "工作日 11:00–14:00", "每天一次", "到 2027年5月31日 为止")
DOCUMENT = """{
  "limits": {"period": "day", "uses": 1},
  "terms": {"id": "NOODLE10", "version": 4, "stage": "line", "kind": "percent_off", "rate_bp": 1000}
}"""
DIFFERENCES = (
    v.DifferenceRow(label="比例", old="8%", new="10%"),
    v.DifferenceRow(label="最低消费", old="没有", new="¥30.00"),
    v.DifferenceRow(label="商户", old="老周餐饮", new="老周餐饮、惠民超市"),
)


def quote(list_fen: int, concession_fen: int, subsidy_fen: int, *steps: str, rebate_fen: int = 0) -> v.QuoteShown:
    """A price with its sentences."""
    return v.QuoteShown(
        amounts=v.Amounts(
            list_fen=list_fen,
            concession_fen=concession_fen,
            subsidy_fen=subsidy_fen,
            paid_fen=list_fen - concession_fen - subsidy_fen,
            rebate_member_fen=rebate_fen,
        ),
        steps=tuple(
            v.QuoteStep(
                title="面食九折",
                sentence=sentence,
                how=sentence,
                limit="",
                concession_fen=concession_fen,
                subsidy_fen=0,
            )
            for sentence in steps
        ),
        rebates=(
            v.RebateStep(
                title="满意返",
                sentence="¥28.80 返 5%，即 ¥1.44。",
                how="实付 ¥28.80 的 5%，即 ¥1.44",
                limit="",
                to="member",
                rebate_fen=rebate_fen,
            ),
        )
        if rebate_fen
        else (),
        not_used=(v.NotUsed(title="周三惠民日", sentence="参加优惠的商品还差 ¥28.00，再买 ¥28.00 就能用。"),),
        hints=(),
        lines=(),
        proof="允许的组合都比过了，这是最低价。",
        is_proven=True,
    )


EXAMPLES = v.ExamplesShown(
    shop="老周面馆（炼钢路店）",
    at=NOW,
    examples=tuple(
        v.ExampleShown(
            bought=bought,
            own=own,
            alone=quote(list_fen, list_fen // 10, 0, "2 件共 ¥32.00，减 10%，即 ¥3.20，由商户让利。"),
            together=quote(
                list_fen, list_fen // 10, 100, "2 件共 ¥32.00，减 10%，即 ¥3.20，由商户让利。", rebate_fen=rebate
            ),
        )
        for bought, list_fen, own, rebate in (
            (("红烧牛肉面 ¥16.00 × 2",), 3200, True, 144),
            (("红烧牛肉面 ¥16.00 × 1", "卤蛋 ¥2.00 × 1"), 1800, False, 0),
            (("消费 ¥46.00", "不参加优惠的 ¥5.00"), 5100, False, 0),
        )
    ),
)
SIGNATURES = (
    v.SignatureRow(merchant="老周餐饮", is_signed=True, way="owner", by="周德福", at=NOW, reason=""),
    v.SignatureRow(merchant="惠民超市", is_signed=None, way=None, by=None, at=None, reason=""),
    v.SignatureRow(merchant="康宁医药", is_signed=False, way="owner", by="吴敏", at=NOW, reason="药品不能打折"),
    v.SignatureRow(merchant="晨光图书", is_signed=True, way="declared", by="陈淑芬", at=NOW, reason=""),
    v.SignatureRow(merchant="和平影城", is_signed=True, way="carried", by="何平", at=NOW, reason=""),
)
VERSIONS = (
    v.OfferVersionRow(
        version=4, state="submitted", proposed_by="吴敏", proposed_at=NOW, decided_by=None, decided_at=None
    ),
    v.OfferVersionRow(
        version=3,
        state="live",
        proposed_by="陈淑芬",
        proposed_at=NOW - timedelta(days=170),
        decided_by="吴敏",
        decided_at=NOW - timedelta(days=169),
    ),
)
OFFER = {
    "offer_id": "NOODLE10",
    "version": 4,
    "title": "面食九折",
    "merchant": "老周餐饮、惠民超市",
    "gives": "9 折",
    "terms": TERMS,
    "note": "入冬以后面粉降价，多让一点。",
    "terms_json": DOCUMENT,
    "terms_hash": "a" * 64,
    "signatures": SIGNATURES[:1],
    "compared": 3,
    "differences": DIFFERENCES,
    "examples": EXAMPLES,
    "versions": VERSIONS,
    "closed_by": None,
    "closed_at": None,
    "closed_reason": "",
    "can_end": False,
    "unnamed": False,
    "unstarted": False,
    "typed_reason": "",
    "error": None,
}
FORM = {
    "id": ("o_3f9a12bc",),
    "title": ("面食九折",),
    "rate": ("10",),
    "merchant": ("m_0042", "m_0107"),
    "weekday": ("1", "2", "3", "4", "5"),
    "hours.from": ("11:00", "17:00"),
    "hours.to": ("14:00", "20:00"),
    "audience.field": ("state",),
    "audience.values": ("retired",),
    "budget": ("budget:lunch",),
    "group": ("meal",),
}
BOXES = {
    "version_of": None,
    "month": "2026-10",
    "terms": TERMS,
    "merchants": (v.Choice(code="m_0042", name="老周餐饮"), v.Choice(code="m_0107", name="惠民超市")),
    "shops": (v.Choice(code="s_0042", name="老周面馆（炼钢路店）"),),
    "items": (v.Choice(code="beef-noodles", name="红烧牛肉面"),),
    "categories": ("food", "noodles"),
    "budgets": (v.Choice(code="lunch", name="职工餐补"), v.Choice(code="care", name="退休会员关爱")),
    "sponsors": ("xg",),
}


def draft(name: str, kind: str, **more: object) -> Sample:
    """A form of a kind."""
    given = {
        "form": FORM,
        "errors": {},
        "problems": (),
        "gives": "9 折",
        "examples": EXAMPLES,
        "document": DOCUMENT,
        **BOXES,
        **more,
    }
    view = v.DraftPage(draft_id="0193", kind=kind, **given)  # type: ignore[arg-type]
    return Sample(name, "desk/draft.html", view, "officer", "/desk/drafts/0193", 422 if more.get("errors") else 200)


ROWS = tuple(
    v.DeskOfferRow(
        offer_id=code,
        version=version,
        title=title,
        gives=gives,
        merchant=merchant,
        state=state,  # type: ignore[arg-type]
        signed_count=signed,
        needed_count=needed,
        from_on=date(2026, 12, 1) if version > 1 else None,
        to_on=date(2027, 5, 31) if version > 1 else None,
        proposed_by="吴敏",
        proposed_at=NOW - timedelta(days=version),
    )
    for code, version, title, gives, merchant, state, signed, needed in (
        ("NOODLE10", 4, "面食九折", "9 折", "老周餐饮", "submitted", 0, 1),
        ("LUNCH1", 2, "工作日午餐补贴", "补 1 元", None, "live", 0, 0),
        ("FRESH100", 1, "满 100 减 20", "满 100 减 20", "惠民超市", "approved", 1, 1),
    )
)
DRAFTS = (
    v.DraftRow(draft_id="0193", title="面食九折", offer_id="NOODLE10", written_by="陈淑芬", changed_at=NOW, own=True),
    v.DraftRow(draft_id="0194", title="", offer_id="o_77", written_by="吴敏", changed_at=NOW, own=False),
)


def listed(name: str, shown: str, **more: object) -> Sample:
    """The desk's list."""
    given = {"query": "", "rows": (), "drafts": (), "older": None, **more}
    return Sample(name, "desk/offers.html", v.DeskOffers(shown=shown, **given), "officer", "/desk/offers")  # type: ignore[arg-type]


OFFERS: tuple[Sample, ...] = (
    Sample("kinds", "desk/kinds.html", v.OfferKinds(kinds=KINDS), "officer", "/desk/offers/new"),
    draft("draft", "line.percent_off"),
    draft(
        "draft-wrong",
        "order.spend_save",
        form={**FORM, "tier.min": ("10",), "tier.off": ("20",), "repeat": ("1",)},
        errors={
            "title_en": "请填写这一项。",
            "tiers": "减 ¥20.00 比门槛 ¥10.00 还多，请提高门槛或少减一些。",
            "budget": "工会不出钱，就不用预算，请去掉预算或写明工会的比例。",
            "merchant": "有一部分由商户承担，请列出商户，由它们的店主签字。",
            "weekday": "填整数。",
        },
        problems=(
            v.DraftProblem(
                box="tiers",
                name="满减档",
                sentence="减 ¥20.00 比门槛 ¥10.00 还多，请提高门槛或少减一些。",
                warning=False,
            ),
            v.DraftProblem(
                box="price", name="价格", sentence="按目录价这一套只要 ¥21.00，组合价 ¥21.00 不便宜。", warning=True
            ),
        ),
        gives=None,
        terms=(),
        examples=None,
    ),
    draft("draft-bundle", "line.bundle", version_of="NOODLE10"),
    draft("draft-gift", "line.buy_x_get_y"),
    draft("draft-each", "line.amount_off_unit"),
    draft("draft-price", "line.fixed_unit_price", budgets=()),
    draft("draft-rebate", "rebate.percent_back"),
    draft("draft-subsidy", "subsidy.amount_off"),
    Sample(
        "offer",
        "desk/offer.html",
        v.DeskOffer(**{**OFFER, "state": "submitted", "verdict": "decide"}),
        "officer",
        "/desk/offers/NOODLE10/4",
    ),
    Sample(
        "offer-few",
        "desk/offer.html",
        v.DeskOffer(**{**OFFER, "state": "submitted", "verdict": "decide", "unnamed": True}),
        "officer",
        "/desk/offers/NOODLE10/4",
    ),
    Sample(
        "offer-unsigned",
        "desk/offer.html",
        v.DeskOffer(
            **{**OFFER, "state": "submitted", "verdict": "unsigned", "signatures": SIGNATURES, "differences": ()}
        ),
        "officer",
        "/desk/offers/NOODLE10/4",
    ),
    Sample(
        "offer-own",
        "desk/offer.html",
        v.DeskOffer(
            **{
                **OFFER,
                "state": "submitted",
                "verdict": "own",
                "merchant": None,
                "signatures": (),
                "compared": None,
                "note": "",
                "examples": None,
                "error": "另一位干部刚刚退回了这一版。",
            }
        ),
        "officer",
        "/desk/offers/LUNCH1/2",
    ),
    Sample(
        "offer-closed",
        "desk/offer.html",
        v.DeskOffer(
            **{
                **OFFER,
                "state": "rejected",
                "verdict": "closed",
                "closed_by": "吴敏",
                "closed_at": NOW,
                "closed_reason": "补 20 元超过了预算一周的量，请降到 5 元以内再提。",
            }
        ),
        "officer",
        "/desk/offers/NOODLE10/4",
    ),
    Sample(
        "offer-live",
        "desk/offer.html",
        v.DeskOffer(**{**OFFER, "state": "live", "verdict": "closed", "can_end": True, "examples": None}),
        "officer",
        "/desk/offers/NOODLE10/4",
    ),
    Sample(
        "offer-approved",
        "desk/offer.html",
        v.DeskOffer(
            **{
                **OFFER,
                "state": "approved",
                "verdict": "closed",
                "can_end": True,
                "examples": None,
                "unnamed": True,
                "unstarted": True,
            }
        ),
        "officer",
        "/desk/offers/NOODLE10/4",
    ),
    Sample(
        "offer-withdrawn",
        "desk/offer.html",
        v.DeskOffer(
            **{
                **OFFER,
                "state": "withdrawn",
                "verdict": "closed",
                "closed_by": "吴敏",
                "closed_at": NOW,
                "examples": None,
            }
        ),
        "officer",
        "/desk/offers/NOODLE10/4",
    ),
    listed("offers-desk", "current", rows=ROWS, older="x"),
    listed("offers-drafts", "drafts", drafts=DRAFTS),
    listed("offers-discarded", "discarded", drafts=DRAFTS),
    listed("offers-no-drafts", "drafts"),
    listed("desk-offers-none", "waiting"),
    listed("offers-not-found", "current", query="没有这个"),
    Sample(
        "to-sign",
        "merchant/offers.html",
        v.OwnerOffers(
            merchant="老周餐饮",
            waiting=(
                v.OfferToSign(
                    offer_id="NOODLE10",
                    version=4,
                    title="面食九折",
                    gives="9 折",
                    terms=TERMS,
                    note="入冬以后面粉降价，多让一点。",
                    differences=DIFFERENCES,
                    examples=EXAMPLES,
                    terms_hash="a" * 64,
                    proposed_at=NOW,
                ),
            ),
            said=(
                v.SaidRow(
                    offer_id="NOODLE10", version=3, title="面食九折", gives="8%", state="live", is_signed=True, at=NOW
                ),
                v.SaidRow(
                    offer_id="EGG1",
                    version=1,
                    title="送蛋",
                    gives="买 2 送 1",
                    state="rejected",
                    is_signed=False,
                    at=NOW,
                ),
            ),
            error="这一版贵店已经签过字，不用再签。",
        ),
        "owner",
        "/merchant/offers",
    ),
    Sample(
        "to-sign-none",
        "merchant/offers.html",
        v.OwnerOffers(merchant="老周餐饮", waiting=(), said=(), error=None),
        "owner",
        "/merchant/offers",
    ),
    Sample(
        "record-offers",
        "record_offers.html",
        v.RecordOffers(
            query="",
            merchant_code=None,
            merchant=None,
            shown="current",
            rows=tuple(
                v.PublicOfferRow(
                    offer_id=row.offer_id,
                    version=row.version,
                    title=row.title,
                    gives=row.gives,
                    merchant=row.merchant,
                    state="live",
                    from_on=row.from_on,
                    to_on=row.to_on,
                )
                for row in ROWS
            ),
            older="x",
        ),
        None,
        "/record/offers",
    ),
    Sample(
        "record-offers-none",
        "record_offers.html",
        v.RecordOffers(query="没有这个", merchant_code="m_0001", merchant="老周餐饮", shown="all", rows=(), older=None),
        None,
        "/record/offers?merchant=m_0001&shown=all",
    ),
    Sample(
        "record-offer",
        "record_offer.html",
        v.RecordOffer(
            offer_id="NOODLE10",
            title="面食九折",
            merchant="老周餐饮",
            versions=(
                v.PublicVersion(
                    version=4,
                    state="live",
                    title="面食九折",
                    gives="9 折",
                    terms=TERMS,
                    note="入冬以后面粉降价，多让一点。",
                    published_on=date(2026, 11, 20),
                    ended_on=None,
                    signed=("老周餐饮", "惠民超市"),
                    differences=DIFFERENCES,
                    terms_json=DOCUMENT,
                    terms_hash="a" * 64,
                    entry_id="4" * 32,
                    has_text=True,
                ),
                v.PublicVersion(
                    version=3,
                    state="ended",
                    title="面食九二折",
                    gives="9.2 折",
                    terms=TERMS,
                    note="",
                    published_on=date(2026, 6, 1),
                    ended_on=date(2026, 11, 20),
                    signed=("老周餐饮",),
                    differences=(),
                    terms_json=DOCUMENT,
                    terms_hash="b" * 64,
                    entry_id="3" * 32,
                    has_text=False,
                ),
            ),
        ),
        None,
        "/record/offers/NOODLE10",
    ),
    Sample(
        "record-offer-few",
        "record_offer.html",
        v.RecordOffer(
            offer_id="WELDER20",
            title="特种作业补给",
            merchant="老周餐饮",
            versions=(
                v.PublicVersion(
                    version=1,
                    state="live",
                    title="特种作业补给",
                    gives="8 折",
                    terms=(*TERMS[:2], UNNAMED[0]),
                    note="",
                    published_on=date(2026, 11, 20),
                    ended_on=None,
                    signed=("老周餐饮",),
                    differences=(),
                    terms_json='{\n  "audience": "IS+ghrvYYQVPvxwZahgf8+VPMrxp/DndQS6nJN5wIr0="\n}',
                    terms_hash=None,
                    entry_id=None,
                    has_text=False,
                ),
            ),
        ),
        None,
        "/record/offers/WELDER20",
    ),
)
