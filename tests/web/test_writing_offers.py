"""An officer writes an offer in the form, the merchant's owner signs it, another officer approves it; and what each of them may not."""

import json
import re
from collections.abc import Callable
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from api.demo.places import make_credit_code
from api.identity import create_account, grant_role, open_session
from market.kit.clock import now
from market.kit.database import transaction
from market.offers.models import OfferSignature, OfferVersion
from market.offers.operations import end_offer
from merchants import add_item, add_shop, add_staff, admit_merchant
from tests.web.conftest import Works, csrf_in
from tests.web.market import TEN_PERCENT

Enter = Callable[[str], TestClient]
SAVE = {"merchant": "老王面馆", "tier.min": ["30", "60"], "tier.off": ["3", "8"], "title": "满减", "title_en": "Save"}


@pytest.fixture
def officer(enter: Enter, lunch: None) -> TestClient:
    return enter("officer")


def begin(client: TestClient, kind: str) -> str:
    """Choose a kind; the address of the draft."""
    page = client.get("/desk/offers/new").text
    started = client.post("/desk/drafts", data={"kind": kind, "csrf_token": csrf_in(page)})
    assert started.status_code == 303, started.text
    return str(started.headers["location"])


def send(client: TestClient, draft: str, act: str = "", **fields: object) -> object:
    token = csrf_in(client.get(draft).text)
    return client.post(draft + act, data={"id": "SAVE", **fields, "csrf_token": token})


def wrongs(html: str) -> set[str]:
    """The boxes beside which an error stands."""
    return set(re.findall(r'<p class="box-wrong"\s+id="wrong-([\w.]+)"', html))


def token_of(works: Works, role: str, place: UUID | None, *, login: str) -> dict[str, str]:
    """Another person with a role, as a program signs in."""
    with transaction() as tx:
        account = create_account(tx, login=login, name=login, at=now())
        grant_role(tx, account_id=account, role=role, at=now(), scope_id=place)  # type: ignore[arg-type]
        token = open_session(tx, account_id=account, roles=[role], agent="test", at=now()).token  # type: ignore[list-item]
    return {"authorization": f"Bearer {token}"}


def find(offer: str, version: int = 1) -> OfferVersion:
    with transaction() as tx:
        row = tx.get(OfferVersion, (offer, version))
        assert row is not None
        return row


def test_every_kind_can_be_chosen_and_its_form_asks_only_for_its_own(officer: TestClient) -> None:
    page = officer.get("/desk/offers/new").text
    kinds = re.findall(r'name="kind" value="([\w.]+)"', page)
    assert len(kinds) == 12
    own = {"rate", "amount", "price", "buy", "tier.min", "part.sku", "rebate_to", "share", "max_units"}
    asked = {}
    for kind in kinds:
        form = officer.get(begin(officer, kind)).text
        asked[kind] = {name for name in own if f'name="{name}"' in form}
    assert asked["line.percent_off"] == {"rate", "share", "max_units"}
    assert asked["line.bundle"] == {"price", "part.sku", "share", "max_units"}
    assert asked["order.spend_save"] == {"tier.min", "share"}
    assert asked["rebate.percent_back"] == {"rate", "rebate_to"}
    assert asked["line.buy_x_get_y"] == {"buy", "share", "max_units"}


def test_the_examples_come_from_the_engine_as_one_types(officer: TestClient) -> None:
    draft = begin(officer, "order.spend_save")
    token = csrf_in(officer.get(draft).text)
    part = officer.post(
        draft,
        data={**SAVE, "id": "SAVE", "csrf_token": token},
        headers={"HX-Request": "true", "HX-Request-Type": "partial"},
    )
    assert "<html" not in part.text
    assert "没有矛盾，可以提交" in part.text
    # At the first tier 30.00 − 3.00; the shop's 10 % and the union's yuan come on top of it.
    assert "¥27<small>.00</small>" in part.text
    assert "和店里现有的优惠一起" in part.text
    assert "面食九折" in part.text
    # What was typed is kept.
    assert 'value="满减"' in officer.get(draft).text


def test_the_reader_s_own_basket_is_priced_too(officer: TestClient) -> None:
    draft = begin(officer, "line.percent_off")
    send(officer, draft, rate="20", merchant="m_0001", title="a", title_en="a", **{"try.price": "50", "try.qty": "2"})
    page = officer.get(draft).text
    assert "我的例子" in page
    assert "¥80<small>.00</small>" in page


def test_a_form_with_contradictions_is_refused_beside_its_boxes(officer: TestClient) -> None:
    draft = begin(officer, "order.spend_save")
    refused = send(
        officer,
        draft,
        "/submit",
        **{"from": "2031-05-02T00:00", "to": "2031-05-01T00:00", "tier.min": "10", "tier.off": "20"},
        category="cinema",
        sponsor="xg",
        share="150",
    )
    assert refused.status_code == 422
    assert wrongs(refused.text) == {"title", "title_en", "share", "to"}
    refused = send(
        officer,
        draft,
        "/submit",
        **{"from": "2031-05-02T00:00", "to": "2031-05-03T00:00", "tier.min": "10", "tier.off": "20"},
        category="cinema",
        sponsor="xg",
        share="50",
        title="满减",
        title_en="Save",
    )
    assert wrongs(refused.text) == {"tiers", "budget", "merchant", "sku"}


@pytest.mark.parametrize(
    ("kind", "fields", "box"),
    [
        ("line.percent_off", {"rate": "101"}, "rate"),
        ("line.percent_off", {"rate": "0"}, "rate"),
        ("line.percent_off", {"rate": "ten"}, "rate"),
        ("line.percent_off", {"rate": ""}, "rate"),
        ("line.percent_off", {"rate": "10", "from": "2031-05-02T00:00", "to": "2031-05-01T00:00"}, "to"),
        ("line.percent_off", {"rate": "10", "to": "2020-01-01T00:00"}, "to"),
        ("line.percent_off", {"rate": "10", "to": "soon"}, "to"),
        ("line.percent_off", {"rate": "10", "hours.from": "11:00"}, "hours"),
        ("line.percent_off", {"rate": "10", "hours.from": "11:00", "hours.to": "25:00"}, "hours"),
        ("line.percent_off", {"rate": "10", "category": "cinema"}, "sku"),
        ("line.percent_off", {"rate": "10", "sku": "noodle"}, "sku"),
        ("line.percent_off", {"rate": "10", "merchant": "m_9999"}, "merchant"),
        ("line.percent_off", {"rate": "10", "merchant": ""}, "merchant"),
        ("line.percent_off", {"rate": "10", "shop": "s_9999"}, "shop"),
        ("line.percent_off", {"rate": "10", "budget": "budget:lunch"}, "budget"),
        ("line.percent_off", {"rate": "10", "sponsor": "xg", "share": "50"}, "budget"),
        ("line.percent_off", {"rate": "10", "audience.field": "who", "audience.values": "王小明"}, "audience"),
        ("line.bundle", {"price": "10", "part.sku": "素面", "part.qty": "1"}, "parts"),
        ("line.percent_off", {"rate": "10", "max_units": "0"}, "max_units"),
        ("line.percent_off", {"rate": "10", "uses": "0"}, "uses"),
        ("line.percent_off", {"rate": "10", "min_spend": "1.234"}, "min_spend"),
        ("line.fixed_unit_price", {"price": "9.90", "stackable": "1"}, "stackable"),
        ("line.buy_x_get_y", {"buy": "0", "get": "1", "get_rate": "100"}, "buy"),
        ("line.buy_x_get_y", {"buy": "2", "get": "0", "get_rate": "100"}, "get"),
        ("line.buy_x_get_y", {"buy": "2", "get": "1", "get_rate": "0"}, "get_rate"),
        ("line.bundle", {"price": "10"}, "parts"),
        ("line.bundle", {"price": "10", "part.category": "cinema", "part.qty": "1"}, "parts"),
        ("order.spend_save", {"tier.min": "10", "tier.off": "11"}, "tiers"),
        ("order.spend_save", {"tier.min": "10"}, "tiers"),
        ("order.amount_off", {"amount": "20", "min_spend": "10"}, "amount"),
        ("subsidy.amount_off", {"amount": "1"}, "sponsor"),
        ("subsidy.amount_off", {"amount": "1", "sponsor": "xg"}, "share"),
        ("subsidy.amount_off", {"amount": "1", "sponsor": "xg", "share": "100"}, "budget"),
        ("subsidy.amount_off", {"amount": "1", "sponsor": "xg", "share": "100", "budget": "budget:gone"}, "budget"),
        ("rebate.percent_back", {"rate": "5", "merchant": ""}, "merchant"),
    ],
)
def test_a_contradiction_names_its_box(officer: TestClient, kind: str, fields: dict[str, str], box: str) -> None:
    draft = begin(officer, kind)
    whole = {"merchant": "m_0001", "title": "一", "title_en": "One", **fields}
    refused = send(officer, draft, "/submit", **whole)
    assert refused.status_code == 422, refused.headers.get("location")
    assert box in wrongs(refused.text)
    with transaction() as tx:
        assert tx.get(OfferVersion, ("SAVE", 1)) is None


def test_written_signed_approved_and_in_force(
    officer: TestClient, works: Works, enter: Enter, client: TestClient
) -> None:
    draft = begin(officer, "order.spend_save")
    sent = send(officer, draft, "/submit", **SAVE, note="夏天开始")
    assert sent.headers["location"] == "/desk/offers/SAVE/1"
    page = officer.get("/desk/offers/SAVE/1").text
    assert "等签字" in page
    assert "/approve" not in page
    assert officer.get(draft).status_code == 404
    other = token_of(works, "officer", works.unit_id, login="second")
    officer.cookies.clear()
    unsigned = client.post("/desk/offers/SAVE/1/approve", headers=other)
    assert unsigned.status_code == 409
    assert "m_0001" in unsigned.text
    owner = enter("owner")
    waiting = owner.get("/merchant/offers").text
    assert "满 30 减 3" in waiting
    assert "¥27<small>.00</small>" in waiting
    hash_ = find("SAVE").terms_hash.hex()
    assert hash_ in waiting
    signed = owner.post("/merchant/offers/SAVE/1/sign", data={"csrf_token": csrf_in(waiting), "terms_hash": hash_})
    assert (signed.status_code, signed.headers["location"]) == (303, "/merchant/offers")
    assert "同意" in owner.get("/merchant/offers").text
    client.cookies.clear()
    assert client.post("/desk/offers/SAVE/1/approve", headers=other).status_code == 303
    public = client.get("/record/offers/SAVE").text
    assert "签字的商户：老王面馆" in public
    assert "夏天开始" in public
    assert "王老板" not in public
    assert "SAVE" in client.get("/record/offers?q=满减").text


def test_a_merchant_signs_its_own_versions_once_and_only_what_it_was_shown(
    lunch: None, works: Works, client: TestClient, enter: Enter
) -> None:
    with transaction() as tx:
        end_offer(tx, offer="NOODLE10", at=now())
        far = admit_merchant(tx, code="m_0002", name="对面", credit_code=make_credit_code(2), category="food", at=now())
        shop = add_shop(tx, merchant_id=far, code="s_0002", name="对面一店", address="", till="items")
        add_item(tx, merchant_id=far, sku="tea", name="茶", category="tea", price_fen=900)
        stranger = add_staff(tx, merchant_id=far, name="别人")
        assert shop
    officer = token_of(works, "officer", works.unit_id, login="second")
    body = {"terms": TEN_PERCENT, "title": "面食九折", "title_en": "Noodles"}
    made = client.post("/api/offers", json=body, headers=officer)
    assert made.status_code == 201, made.text
    assert made.json()["to_sign"] == ["m_0001"]
    address, right = f"/merchant/offers/NOODLE10/{made.json()['version']}", {"terms_hash": made.json()["terms_hash"]}
    assert (
        client.post(address + "/sign", data=right, headers=token_of(works, "owner", stranger, login="far")).status_code
        == 404
    )
    assert client.post(address + "/refuse", data={**right, "reason": "x"}, headers=officer).status_code == 403
    owner = enter("owner")
    token = {"csrf_token": csrf_in(owner.get("/merchant/offers").text)}
    forged = owner.post(address + "/sign", data={"terms_hash": "0" * 64, **token})
    assert forged.status_code == 409
    assert "您看到的条件和这一版不一致" in forged.text
    assert owner.post(address + "/sign", data={**right, **token}).status_code == 303
    again = owner.post(address + "/sign", data={**right, **token})
    assert again.status_code == 409
    assert "已经签过字" in again.text
    with transaction() as tx:
        assert tx.get(OfferSignature, ("NOODLE10", made.json()["version"], "m_0001")) is not None
        assert tx.get(OfferSignature, ("NOODLE10", made.json()["version"], "m_0002")) is None


def test_an_owner_refuses_with_a_reason_that_the_desk_reads(
    officer: TestClient, works: Works, enter: Enter, client: TestClient
) -> None:
    send(officer, begin(officer, "order.spend_save"), "/submit", **SAVE)
    hash_ = find("SAVE").terms_hash.hex()
    officer.cookies.clear()
    owner = enter("owner")
    token = csrf_in(owner.get("/merchant/offers").text)
    silent = owner.post(
        "/merchant/offers/SAVE/1/refuse", data={"csrf_token": token, "terms_hash": hash_, "reason": "  "}
    )
    assert silent.status_code == 422
    done = owner.post(
        "/merchant/offers/SAVE/1/refuse", data={"csrf_token": token, "terms_hash": hash_, "reason": "成本太高"}
    )
    assert done.status_code == 303
    client.cookies.clear()
    page = enter("officer").get("/desk/offers/SAVE/1").text
    assert "成本太高" in page
    assert "王老板" not in page or "owner 某" in page
    assert "已退回" in page
    assert client.get("/record/offers/SAVE").status_code == 404


def test_a_version_signed_after_a_newer_one_counts_for_nothing(
    officer: TestClient, works: Works, enter: Enter, client: TestClient
) -> None:
    send(officer, begin(officer, "order.spend_save"), "/submit", **SAVE)
    old = find("SAVE").terms_hash.hex()
    token = csrf_in(officer.get("/desk/offers/SAVE/1").text)
    newer = officer.post("/desk/drafts", data={"csrf_token": token, "offer": "SAVE", "version": "1", "as": "version"})
    form = officer.get(newer.headers["location"]).text
    assert 'value="30.00"' in form
    assert 'name="id"' not in form
    send(officer, newer.headers["location"], "/submit", **{**SAVE, "tier.off": ["4", "9"]}, id="OTHER")
    assert (find("SAVE").state, find("SAVE", 2).state) == ("withdrawn", "submitted")
    officer.cookies.clear()
    owner = enter("owner")
    token = csrf_in(owner.get("/merchant/offers").text)
    late = owner.post("/merchant/offers/SAVE/1/sign", data={"csrf_token": token, "terms_hash": old})
    assert late.status_code == 409
    assert "第 2 版" in late.text


def test_an_early_end_is_a_new_version_that_a_second_officer_approves(
    officer: TestClient, works: Works, client: TestClient
) -> None:
    token = csrf_in(officer.get("/desk/offers/NOODLE10/1").text)
    silent = officer.post("/desk/offers/NOODLE10/1/end", data={"csrf_token": token, "reason": ""})
    assert silent.status_code == 422
    ended = officer.post("/desk/offers/NOODLE10/1/end", data={"csrf_token": token, "reason": "面粉涨价"})
    assert ended.headers["location"] == "/desk/offers/NOODLE10/2"
    page = officer.get("/desk/offers/NOODLE10/2").text
    assert "沿用上一版的签字" in page
    assert "面粉涨价" in page
    assert re.search(r"结束</span>\s*<del>没有</del>", page)
    other = token_of(works, "officer", works.unit_id, login="second")
    officer.cookies.clear()
    assert client.post("/desk/offers/NOODLE10/2/approve", headers=other).status_code == 303
    assert (find("NOODLE10", 1).state, find("NOODLE10", 2).state) == ("ended", "approved")
    public = client.get("/record/offers/NOODLE10").text
    assert "面粉涨价" in public
    assert "已结束" in client.get("/record/offers?shown=ended").text


def test_a_copy_is_another_offer_and_an_id_is_not_taken_twice(officer: TestClient) -> None:
    token = csrf_in(officer.get("/desk/offers/NOODLE10/1").text)
    copied = officer.post("/desk/drafts", data={"csrf_token": token, "offer": "NOODLE10", "version": "1", "as": "copy"})
    draft = copied.headers["location"]
    form = officer.get(draft).text
    assert 'value="10"' in form
    fields = {"rate": "10", "merchant": "m_0001", "title": "一", "title_en": "One"}
    taken = send(officer, draft, "/submit", **{**fields, "id": "NOODLE10"})
    assert taken.status_code == 422
    assert wrongs(taken.text) == {"id"}
    assert send(officer, draft, "/submit", **{**fields, "id": "NOODLE10B"}).status_code == 303
    assert find("NOODLE10B").terms["rate_bp"] == 1000


def test_a_draft_is_its_writer_s_and_can_be_put_away_and_brought_back(
    officer: TestClient, works: Works, client: TestClient
) -> None:
    draft = begin(officer, "line.percent_off")
    send(officer, draft, title="才写一点", title_en="")
    assert "才写一点" in officer.get("/desk/offers?shown=drafts").text
    token = csrf_in(officer.get(draft).text)
    assert (
        officer.post(draft + "/discard", data={"csrf_token": token}).headers["location"]
        == "/desk/offers?shown=discarded"
    )
    assert "才写一点" not in officer.get("/desk/offers?shown=drafts").text
    assert "才写一点" in officer.get("/desk/offers?shown=discarded").text
    assert officer.post(draft + "/restore", data={"csrf_token": token}).headers["location"] == draft
    other = token_of(works, "officer", works.unit_id, login="second")
    officer.cookies.clear()
    assert client.get(draft, headers=other).status_code == 403
    assert client.post(draft + "/submit", headers=other, data={"id": "X"}).status_code == 403
    assert client.get("/desk/drafts/00000000-0000-0000-0000-000000000000", headers=other).status_code == 404


def test_one_takes_back_one_s_own_version_only(officer: TestClient, works: Works, client: TestClient) -> None:
    send(officer, begin(officer, "order.spend_save"), "/submit", **SAVE)
    token = csrf_in(officer.get("/desk/offers/SAVE/1").text)
    other = token_of(works, "officer", works.unit_id, login="second")
    assert officer.post("/desk/offers/SAVE/1/approve", data={"csrf_token": token}).status_code == 409
    assert officer.post("/desk/offers/SAVE/1/withdraw", data={"csrf_token": token}).status_code == 303
    officer.cookies.clear()
    assert client.post("/desk/offers/SAVE/1/withdraw", headers=other).status_code in {404, 409}
    assert find("SAVE").state == "withdrawn"


def test_the_list_finds_by_state_title_id_and_merchant(officer: TestClient) -> None:
    send(officer, begin(officer, "order.spend_save"), "/submit", **SAVE)
    found = {
        "": {"NOODLE10", "UNION1", "SAVE"},
        "shown=waiting": {"SAVE"},
        "shown=live": {"NOODLE10", "UNION1"},
        "shown=coming": set(),
        "q=面食": {"NOODLE10"},
        "q=老王": {"NOODLE10", "SAVE"},
        "q=UNION": {"UNION1"},
        "q=nothing": set(),
        "shown=closed": set(),
        "shown=ended": set(),
    }
    for query, offers in found.items():
        page = officer.get(f"/desk/offers?{query}").text
        assert {offer for offer in ("NOODLE10", "UNION1", "SAVE") if f"/desk/offers/{offer}/1" in page} == offers, query
    assert officer.get("/desk/offers?shown=x").status_code == 422
    assert officer.get("/desk/offers?after=nonsense").status_code == 200


def test_the_json_address_checks_as_the_form_does(works: Works, lunch: None, client: TestClient) -> None:
    officer = token_of(works, "officer", works.unit_id, login="second")
    terms = {
        **TEN_PERCENT,
        "id": "N",
        "rate_bp": 10001,
        "window": {"from": "2031-01-02T00:00:00Z", "to": "2031-01-01T00:00:00Z"},
    }
    body = {"terms": terms, "title": "一", "title_en": "One"}
    checked = client.post("/api/offers/check", json=body, headers=officer)
    assert {(row["field"], row["code"]) for row in checked.json()["contradictions"]} == {
        ("terms.rate_bp", "RATE_ABOVE_WHOLE"),
        ("terms.window.to", "END_BEFORE_START"),
    }
    refused = client.post("/api/offers", json=body, headers=officer)
    assert refused.status_code == 422
    assert {row["field"] for row in refused.json()["errors"]} == {"terms.rate_bp", "terms.window.to"}
    named = {**body, "terms": {**TEN_PERCENT, "audience": {"who": ["王小明"]}}}
    for language, words in (("zh", "公开台账只写代码"), ("en", "The public record holds codes only")):
        said = client.post("/api/offers", json=named, headers={**officer, "accept-language": language})
        assert [(row["field"], words in json.dumps(row, ensure_ascii=False)) for row in said.json()["errors"]] == [
            ("terms.audience.who", True)
        ]
    for odd in ({}, {"id": 7}, {"id": "a b"}, {**terms, "tiers": "x"}, {**terms, "match": []}):
        answer = client.post("/api/offers", json={**body, "terms": odd}, headers=officer)
        assert answer.status_code == 422, odd
    assert client.post("/api/offers", json={**body, "limits": {"uses": 0}}, headers=officer).status_code == 422
    assert client.post("/api/offers/check", json={**body, "more": 1}, headers=officer).status_code == 422


@pytest.mark.parametrize(
    "odd",
    [
        {"terms": {"id": "\ud800"}},
        {"terms": {**TEN_PERCENT, "\ud800": 1}},
        {"terms": {**TEN_PERCENT, "audience": {"grade": ["\ud800"]}}},
        {"terms": {**TEN_PERCENT, "audience": {"工种": ["welder"]}}},
        {"terms": {**TEN_PERCENT, "audience": {"grade": ["x" * 70_000]}}},  # more than a public entry holds
        {"terms": {**TEN_PERCENT, "id": ".."}},
        {"limits": {"\ud800": 1}},
        {"limits": {"uses": 10**30}},  # more than a balance holds: every sale with it would break
        {"title": " "},
        {"title": "\u202eabc"},
    ],
)
def test_a_program_cannot_send_what_would_break_later(
    client: TestClient, works: Works, lunch: None, odd: dict[str, object]
) -> None:
    officer = token_of(works, "officer", works.unit_id, login="second")
    body = {"terms": {**TEN_PERCENT, "id": "ODD"}, "title": "面食九折", "title_en": "Noodles", **odd}
    sent = {**officer, "content-type": "application/json"}
    assert client.post("/api/offers", content=json.dumps(body), headers=sent).status_code == 422
    assert client.post("/api/offers/check", content=json.dumps(body), headers=sent).status_code in {200, 422}


def test_instants_that_cannot_be_read_again_are_never_stored(client: TestClient, works: Works, lunch: None) -> None:
    """Written at the home zone's offset they would lie in a year that the reader of terms refuses, for every page and every till."""
    officer = token_of(works, "officer", works.unit_id, login="second")
    for window in ({"from": "1970-01-01T00:00:00+23:59"}, {"to": "9998-12-31T23:59:59-23:59"}):
        body = {"terms": {**TEN_PERCENT, "id": "FAR", "window": window}, "title": "一", "title_en": "One"}
        refused = client.post("/api/offers", json=body, headers=officer)
        assert refused.status_code == 422, refused.text
        assert refused.json()["errors"][0]["field"] == f"terms.window.{next(iter(window))}"


@pytest.mark.parametrize("zone", ["localtime", "posixrules", "Factory", "right/Asia/Shanghai"])
def test_a_zone_that_each_machine_reads_differently_is_refused_at_its_box(officer: TestClient, zone: str) -> None:
    draft = begin(officer, "order.spend_save")
    answer = send(officer, draft, "/submit", **SAVE, zone=zone)
    assert answer.status_code == 422
    assert wrongs(answer.text) == {"zone"}
    assert send(officer, draft, "/submit", **SAVE, zone="Asia/Urumqi").status_code == 303


@pytest.mark.parametrize("junk", ["\x00", "∞", "-1", "9" * 60, "<script>alert(1)</script>", "１０", "' OR 1=1"])
def test_nothing_typed_breaks_the_form(officer: TestClient, junk: str) -> None:
    draft = begin(officer, "order.spend_save")
    boxes = "title title_en id note merchant shop sku category exclude from to weekday hours.from hours.to channel audience.field "
    boxes += "audience.values min_spend min_qty max_discount max_units uses limit_amount period total sponsor share budget on_shortage "
    boxes += "group alone stackable priority consent zone tier.min tier.off try.sku try.price try.qty kind version_of"
    answer = send(officer, draft, "/submit", **{name: [junk, junk] for name in boxes.split()})
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
    assert officer.get(draft).status_code == 200


def test_a_bundle_dearer_than_the_catalogue_is_a_warning_only(officer: TestClient, works: Works) -> None:
    with transaction() as tx:
        tea = admit_merchant(tx, code="m_0003", name="茶馆", credit_code=make_credit_code(3), category="tea", at=now())
        add_shop(tx, merchant_id=tea, code="s_0003", name="茶馆一店", address="", till="items")
        for sku, price_fen in (("tea", 900), ("cake", 1200)):
            add_item(tx, merchant_id=tea, sku=sku, name=sku, category="tea", price_fen=price_fen)
    draft = begin(officer, "line.bundle")
    parts = {
        "part.sku": ["tea", "cake"],
        "part.qty": ["1", "1"],
        "merchant": "茶馆",
        "title": "一套",
        "title_en": "Set",
    }
    send(officer, draft, price="21", **parts)
    page = officer.get(draft).text
    assert "按目录价这一套只要 ¥21.00" in page
    assert "tea ¥9.00 × 1 + cake ¥12.00 × 1" in page
    assert send(officer, draft, "/submit", price="21", **parts).status_code == 303


def test_a_rebate_is_the_merchant_s_whatever_is_sent(officer: TestClient) -> None:
    whole = {"merchant": "m_0001", "title": "返", "title_en": "Back", "rate": "5"}
    refused = send(officer, begin(officer, "rebate.percent_back"), "/submit", **whole, share="50", sponsor="xg")
    assert refused.status_code == 422
    assert "返利由商户承担" in refused.text
    assert (
        send(officer, begin(officer, "rebate.percent_back"), "/submit", **whole, rebate_to="union").status_code == 303
    )
    assert find("SAVE").merchants == ["m_0001"]
    assert find("SAVE").terms["rebate_to"] == "union"
