"""Published entries as pages and files show them, whatever their type: what is known in words, all else as it stands."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any, Final, cast

from api.pages.i18n import Language, translate
from api.pages.pictures import N_
from api.pages.views import (
    AccountKindShown,
    Amounts,
    FieldShown,
    MerchantTold,
    OfferShare,
    PublishedRow,
    TextShown,
    TransferShown,
)
from market.kit.clock import business_day
from market.oversight.published import Published
from market.record.entries import AMOUNTS, entry_hash
from market.record.texts import KeptText, read_salt

Names = Mapping[str, str]

WITH_AMOUNTS: Final = frozenset({"sale", "void", "refund", "batch"})
COLUMNS: Final = (
    "leaf_index",
    "id",
    "type",
    "day",
    "merchant",
    "channel",
    "tender",
    "ccy",
    "count",
    *AMOUNTS,
    "offers",
    "of",
    "leaf_hash",
)

LABELS: Final[Mapping[str, str]] = {
    "v": N_("格式版本"),
    "channel": N_("渠道"),
    "tender": N_("付款由谁证明"),
    "ccy": N_("币种"),
    "subject": N_("持卡人的承诺值"),
    "basket": N_("商品明细的承诺值"),
    "facts": N_("定价依据的承诺值"),
    "terms": N_("条款"),
    "limits": N_("次数和金额上限"),
    "audience": N_("限哪些会员的承诺值（不到 100 人，不写明）"),
    "text": N_("旁边文字的指纹"),
    "signed": N_("签字的商户"),
    "origin": N_("账本名称"),
    "log": N_("账本公钥"),
    "promise": N_("承诺公钥"),
    "window_seconds": N_("公布窗口（秒）"),
    "delay_seconds": N_("最迟再过（秒）"),
    "zone": N_("时区"),
    "witnesses": N_("见证人"),
    "own_witnesses": N_("运营方自己的见证人"),
    "budget": N_("预算"),
    "account": N_("账户"),
    "amount": N_("金额"),
    "granted": N_("拨款"),
    "balance": N_("余额"),
    "balances": N_("余额"),
    "count": N_("笔数"),
    "persons": N_("人数"),
    "since": N_("从哪天起"),
    "state": N_("状态"),
    "action": N_("动作"),
    "category": N_("类别"),
    "publication": N_("公布方式"),
    "root": N_("这一批的总指纹（RFC 6962 根哈希）"),
    "other_offers": N_("没有分列的优惠"),
    "credit_code": N_("统一社会信用代码"),
    "post": N_("岗位"),
    "reason": N_("理由代码"),
    "reasons": N_("理由代码"),
    "period": N_("期间"),
    "from": N_("从"),
    "to": N_("到"),
    "sponsor": N_("出钱的工会"),
    "offer": N_("优惠"),
    "version": N_("版本"),
    "key": N_("公钥"),
    "use": N_("用途"),
    "vkey": N_("公钥"),
    "replaces": N_("替下的公钥"),
    "statement": N_("对账单"),
    "kind": N_("查阅什么"),
    "request": N_("申请的承诺值"),
    "entries": N_("打开几笔"),
    "first_day": N_("从"),
    "last_day": N_("到"),
    "payout": N_("付款凭据"),
}
TEXT_LABELS: Final[Mapping[str, str]] = {
    "name": N_("名称"),
    "credit_code": N_("统一社会信用代码"),
    "title": N_("名称"),
    "title_en": N_("英文名称"),
    "note": N_("说明"),
    "unit": N_("单位"),
}
WORDS: Final[Mapping[tuple[str, str], str]] = {
    ("channel", "shop"): N_("到店"),
    ("channel", "online"): N_("在线"),
    ("tender", "declared"): N_("店里报的"),
    ("tender", "provider"): N_("支付机构确认的"),
    ("state", "admitted"): N_("合作中"),
    ("state", "suspended"): N_("暂停"),
    ("kind", "details"): N_("明细导出"),
    ("action", "admitted"): N_("加入"),
    ("action", "changed"): N_("变更"),
    ("action", "suspended"): N_("暂停合作"),
    ("action", "readmitted"): N_("恢复合作"),
    ("action", "opened"): N_("开立"),
    ("action", "granted"): N_("拨款"),
    ("action", "appointed"): N_("任命"),
    ("action", "ended"): N_("已结束"),
    ("action", "added"): N_("启用"),
    ("action", "replaced"): N_("更换"),
    ("action", "removed"): N_("停用"),
    ("use", "log"): N_("给检查点签名"),
    ("use", "promise"): N_("给承诺签名"),
    ("use", "witness"): N_("外部见证人"),
    ("use", "own_witness"): N_("运营方自己的见证人"),
    ("nature", "fund"): N_("拨款的来源"),
    ("nature", "purse"): N_("留作专用的钱"),
    ("nature", "payable"): N_("应付"),
    ("nature", "receivable"): N_("应收"),
    ("nature", "income"): N_("收入"),
    ("nature", "bank"): N_("银行"),
    ("side", "debit"): N_("借方"),
    ("side", "credit"): N_("贷方"),
    ("party", "union"): N_("工会"),
    ("party", "merchant"): N_("商户"),
    ("party", "members"): N_("会员"),
    ("reason", "complaint"): N_("有投诉或举报"),
    ("reason", "finding"): N_("核查疑点"),
    ("reason", "sample"): N_("例行抽查"),
    ("reason", "authority"): N_("上级或司法要求"),
    ("reason", "other"): N_("其他理由"),
    ("class", "row"): N_("逐笔公布"),
    ("class", "batched"): N_("成批公布"),
    ("publication", "row"): N_("逐笔公布"),
    ("publication", "batched"): N_("成批公布"),
    ("reason", "sales"): N_("销售够多"),
    ("reason", "few"): N_("销售不够多"),
    ("reason", "sensitive"): N_("敏感行业"),
    ("reason", "chosen"): N_("干部指定"),
}
MONEY: Final = frozenset({"amount", "granted", "balance", "other_offers"})
LONG: Final = frozenset({"subject", "basket", "facts", "request", "root", "vkey", "replaces", "text"})
SHOWN_APART: Final = frozenset({"id", "type", "day", "merchant", "of", "offers", "transfers"})


def show_published(entry: Published, names: Names) -> PublishedRow:
    """An entry in a list; `names` are those of merchants by code."""
    body = read_body(entry)
    return PublishedRow(
        leaf_index=entry.leaf_index,
        entry_id=entry.public_id,
        day_on=entry.day,
        kind=entry.kind,
        merchant=names.get(entry.merchant, entry.merchant) if entry.merchant else None,
        merchant_code=entry.merchant,
        amounts=read_amounts(body),
        count=read_count(body, entry.kind),
        offers=tuple(f"{share.offer_id} v{share.version}" for share in read_offers(body)),
    )


def read_body(entry: Published) -> dict[str, Any]:
    """The entry as a document."""
    return cast("dict[str, Any]", json.loads(entry.body))


def read_count(body: Mapping[str, Any], kind: str) -> int | None:
    """How many purchases a batch has; None for what is no batch."""
    return _number(body.get("count")) if kind == "batch" else None


def read_amounts(body: Mapping[str, Any]) -> Amounts:
    """The four amounts and the rebates; zero where an entry has none."""
    return Amounts(**{f"{name}_fen": _number(body.get(name)) for name in AMOUNTS})


def read_offers(body: Mapping[str, Any]) -> tuple[OfferShare, ...]:
    """The merchant-borne offers of a sale; none where `offers` holds something else."""
    return tuple(
        OfferShare(offer_id=str(row[0]), version=_number(row[1]), borne_fen=_number(row[2]))
        for row in _rows(body.get("offers"))
    )


def read_transfers(body: Mapping[str, Any]) -> tuple[TransferShown, ...]:
    """From one public account to another; none where `transfers` holds something else."""
    return tuple(
        TransferShown(debit=str(row[0]), credit=str(row[1]), amount_fen=_number(row[2]))
        for row in _rows(body.get("transfers"))
    )


def show_chart(body: Mapping[str, Any], *, kind: str, language: Language) -> tuple[AccountKindShown, ...]:
    """The kinds of accounts that a chart names, in words; none of what is no chart."""
    rows = body.get("accounts") if kind == "account" else None
    return tuple(
        AccountKindShown(
            account=str(row[0]),
            **{
                name: _say(name, said, language, {})
                for name, said in zip(("nature", "side", "party"), row[1:], strict=True)
            },
        )
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, list) and len(row) == 4
    )


def show_told(entry: Published, language: Language) -> MerchantTold:
    """An entry about a merchant itself: what happened, and which terms it says."""
    body = read_body(entry)

    def word(name: str) -> str | None:
        return None if name not in body else _say(name, body[name], language, {})

    return MerchantTold(
        entry_id=entry.public_id,
        day_on=entry.day,
        action=word("action") or "",
        category=body.get("category"),
        publication=word("publication"),
        from_on=date.fromisoformat(body["from"]) if "from" in body else None,
        reason=word("reason"),
    )


def told_row(entry: Published) -> dict[str, object]:
    """The same as a row of a file, in the words of the entry."""
    body = read_body(entry)
    return {
        "leaf_index": entry.leaf_index,
        "entry": entry.public_id,
        "day": entry.day.isoformat(),
        **{name: body.get(name) for name in ("action", "category", "publication", "from", "reason", "text")},
    }


def show_fields(body: Mapping[str, Any], *, kind: str, language: Language, names: Names) -> tuple[FieldShown, ...]:
    """Every field that has no place of its own on the page, in the order of the entry; documents in it one level deep."""
    own = {"batch": {"count"}, "account": {"accounts"}}.get(kind, set())
    apart = SHOWN_APART | (set(AMOUNTS) if kind in WITH_AMOUNTS else set()) | own
    shown = []
    for name, value in body.items():
        if name in apart and not (name in ("offers", "transfers") and value and not _rows(value)):
            continue
        label = translate(language, LABELS[name]) if name in LABELS else ""
        if isinstance(value, dict):
            for part, inner in value.items():
                shown.append(_show(f"{name}.{part}", inner, label=label, language=language, names=names))
        else:
            shown.append(_show(name, value, label=label, language=language, names=names))
    return tuple(shown)


def read_text(kept: KeptText) -> dict[str, str]:
    """What the text beside an entry says, by the names of its fields; nothing once it was removed."""
    return {} if kept.document is None else cast("dict[str, str]", json.loads(kept.document))


def show_text(kept: KeptText, *, language: Language) -> TextShown:
    """The text beside an entry, field by field."""
    said = read_text(kept)
    known = [name for name in TEXT_LABELS if name in said]
    return TextShown(
        fields=tuple(
            FieldShown(
                label=translate(language, TEXT_LABELS[name]) if name in TEXT_LABELS else "",
                name=name,
                values=(said[name],) if said[name] else (),
            )
            for name in dict.fromkeys([*known, *said])
        ),
        salt=read_salt(kept),
        removed_on=None if kept.removed_at is None else business_day(kept.removed_at),
    )


def row_cells(entry: Published) -> list[object]:
    """An entry as a row of `COLUMNS`; amounts in fen, empty where it has none."""
    body = read_body(entry)
    own = {
        "leaf_index": entry.leaf_index,
        "offers": "; ".join(f"{each.offer_id} v{each.version} {each.borne_fen}" for each in read_offers(body)),
        "leaf_hash": entry_hash(entry.body).hex(),
    }
    return [own[name] if name in own else _plain(body.get(name, "")) for name in COLUMNS]


def row_json(entry: Published) -> bytes:
    """An entry as an object of a JSON list: its place, its hash, and the document byte for byte."""
    head = f'{{"leaf_index":{entry.leaf_index},"leaf_hash":"{entry_hash(entry.body).hex()}","entry":'
    return head.encode() + entry.body + b"}"


def _show(path: str, value: object, *, label: str, language: Language, names: Names) -> FieldShown:
    """A field by its path in the entry, such as `terms.rate_bp`."""
    name = path.rpartition(".")[2]
    if type(value) is int and (name in MONEY or name.endswith("_fen")):
        return FieldShown(label=label, name=path, values=(), fen=value)
    href = f"/record/offers/{value}" if name == "offer" and isinstance(value, str) else None
    return FieldShown(
        label=label,
        name=path,
        values=tuple(_say(name, one, language, names) for one in (value if isinstance(value, list) else [value])),
        href=href,
        is_code=name in LONG or isinstance(value, dict),
    )


def _say(name: str, value: object, language: Language, names: Names) -> str:
    """A word where there is one, a merchant's name, a day; else the value as it stands in the entry."""
    if isinstance(value, str):
        if said := WORDS.get((name, value)):
            return translate(language, said)
        return f"{names[value]} {value}" if value in names else value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _rows(value: object) -> list[list[Any]]:
    """The rows of three that a list is made of, none where it is anything else."""
    rows = value if isinstance(value, list) else []
    return rows if all(isinstance(row, list) and len(row) == 3 for row in rows) else []


def _number(value: object) -> int:
    return value if type(value) is int else 0


def _plain(value: object) -> object:
    return value if isinstance(value, str | int) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
