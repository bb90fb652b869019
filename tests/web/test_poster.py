"""The weekly sheet: figures are those of the published entries, everything fits one A4 page, and the same sheet is the same bytes."""

import base64
import io
import re
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fontTools.ttLib import TTFont
from pypdf import PdfReader
from sqlalchemy import text
from starlette.testclient import TestClient

import merchants
from api import till
from api.poster.printing import CHARACTERS, FONTS, SHEET, STAND_IN, print_sheet
from api.poster.sheet import WeekUnknownError, make_sheet, read_week
from cards.replay import PastVisit, record_visits
from market.kit.clock import business_day, get_zone, now
from market.kit.database import transaction
from market.kit.ids import new_id
from tests.web.conftest import Works
from tests.web.ledger import Ledger, ask
from tests.web.market import put_offer

A4 = (595.28, 841.89)


def words(pdf: bytes) -> str:
    reader = PdfReader(io.BytesIO(pdf))
    assert len(reader.pages) == 1
    box = reader.pages[0].mediabox
    assert (float(box.width), float(box.height)) == pytest.approx(A4, abs=0.1)
    # Where a line breaks, and the space between letters and hanzi, are the setter's.
    return re.sub(r"\s", "", reader.pages[0].extract_text())


def this_week() -> str:
    year, week, _ = business_day(now()).isocalendar()
    return f"{year}-W{week:02}"


def yuan(fen: int) -> str:
    return f"{fen // 100:,}.{fen % 100:02}"


def fonts() -> dict[str, set[str]]:
    return {
        name: {chr(code) for code in TTFont(FONTS / f"NotoSansSC-{name}.ttf").getBestCmap()}
        for name in ("Regular", "Bold")
    }


# --- fonts ------------------------------------------------------------------------------------------------------------


def test_the_fonts_hold_gb_2312_and_every_word_of_the_sheet() -> None:
    held = fonts()
    hanzi = {bytes((row, cell)).decode("gb2312", "ignore") for row in range(0xB0, 0xF8) for cell in range(0xA1, 0xFF)}
    hanzi.discard("")
    assert len(hanzi) == 6763
    assert hanzi <= held["Regular"]
    assert set(SHEET.read_text()) - {"\n"} <= held["Regular"] & held["Bold"]
    assert held["Regular"] - {"\n"} == set(CHARACTERS.read_text()) - {"\n"}


# --- weeks ------------------------------------------------------------------------------------------------------------


def test_a_week_is_the_last_whole_one_or_the_one_asked_for() -> None:
    at = now()
    today = business_day(at)
    assert read_week(None, at=at) == today - timedelta(days=today.weekday() + 7)
    assert read_week("2020-W53", at=at) == date(2020, 12, 28)
    ahead = (today + timedelta(days=7)).isocalendar()
    for wrong in ("2021-W53", "2020-W00", "0000-W01", "2020-48", f"{ahead.year}-W{ahead.week:02}", "9999-W52"):
        with pytest.raises(WeekUnknownError):
            read_week(wrong, at=at)


def test_a_week_there_is_not_is_refused_in_words(client: TestClient) -> None:
    answer = client.get("/record/poster.pdf?week=2021-W53", headers={"Accept": "application/json"})
    assert answer.status_code == 422
    assert "2021-W53" in answer.text
    assert client.get("/record/poster.pdf?week=x").status_code == 422


# --- what stands on it ------------------------------------------------------------------------------------------------


def test_its_figures_are_those_of_the_published_entries(client: TestClient, sold: Ledger) -> None:
    sold.publish()
    answer = client.get(f"/record/poster.pdf?week={this_week()}")
    assert answer.headers["content-type"] == "application/pdf"
    shown = words(answer.content)
    ((count, list_fen, concession, subsidy, paid, to_union),) = ask("""
        SELECT (SELECT count(*) FROM sale), s.list - r.list, s.concession - r.concession, s.subsidy - r.subsidy,
          s.paid - r.paid, s.rebate - r.rebate
        FROM (SELECT sum(list_fen)::bigint AS list, sum(concession_fen)::bigint AS concession, sum(subsidy_fen)::bigint AS subsidy,
          sum(paid_fen)::bigint AS paid, sum(rebate_union_fen)::bigint AS rebate FROM sale) AS s,
        (SELECT sum(list_fen)::bigint AS list, sum(concession_fen)::bigint AS concession, sum(subsidy_fen)::bigint AS subsidy,
          sum(paid_fen)::bigint AS paid, sum(rebate_union_fen)::bigint AS rebate FROM reversal) AS r""")
    sentence = shown.partition("money.")[2].partition("。")[0]
    assert sentence == f"{count}笔核销，标价¥{yuan(list_fen)}的东西，职工付了¥{yuan(paid)}"
    assert concession > 0
    assert to_union > 0
    for fen in (concession, subsidy, concession + subsidy, to_union):
        assert f"¥{yuan(fen)}" in shown
    origin, size, root = client.get("/record/checkpoint").text.splitlines()[:3]
    assert len(base64.b64decode(root)) == 32
    assert root in shown  # in groups on paper, without the spaces here
    assert origin in shown
    assert f"{int(size):,}条记录" in shown
    assert "0of0outsidewitnesses" in shown
    assert "Allfigurescomefromtheseentries." in shown
    with transaction() as tx:
        tx.execute(text("DELETE FROM total_state"))
    assert "Figurescountthefirst0sofar." in words(client.get(f"/record/poster.pdf?week={this_week()}").content)
    for title in ("面食九折", "午餐补贴", "返给工会"):
        assert title in shown


def test_a_week_of_nothing_and_a_record_that_is_not_open_are_said(client: TestClient, works: Works) -> None:
    shown = words(client.get("/record/poster.pdf").content)
    assert "这一周没有核销" in shown
    assert "还没有签出检查点" in shown
    assert "现在没有对所有会员开放的优惠" in shown


def test_the_same_sheet_is_the_same_bytes_whoever_prints_it(client: TestClient, sold: Ledger, works: Works) -> None:
    sold.publish()
    path = f"/record/poster.pdf?week={this_week()}"
    first = client.get(path).content
    with transaction() as tx:
        sheet = make_sheet(tx, monday=read_week(this_week(), at=now()), address="http://testserver", at=now())
    assert sheet.print().pdf == first == client.get(path).content


def test_an_offer_for_some_only_is_not_hung_up(client: TestClient, sold: Ledger) -> None:
    terms = {
        "id": "AID",
        "stage": "line",
        "kind": "percent_off",
        "match": {"merchants": ["m_0001"]},
        "rate_bp": 500,
        "audience": {"tags": ["single-parent"]},
    }
    put_offer(terms, title="单亲家庭面食", title_en="Noodles for single parents", at=now())
    shown = words(client.get("/record/poster.pdf").content)
    assert "面食九折" in shown
    assert "单亲家庭" not in shown


def test_a_purchase_in_a_batch_stands_in_the_week_of_its_batch(
    client: TestClient, works: Works, ledger: Ledger
) -> None:
    """Its own day is left out of the record: a week's sum must not tell it, before the batch or after."""
    zone = get_zone()
    with transaction() as tx:
        since = datetime(2026, 8, 20, 9, tzinfo=zone)
        pharmacy = merchants.admit_merchant(
            tx, code="m_0009", name="百草大药房", credit_code="91310000132206289R", category="pharmacy", at=since
        )
        shop = merchants.add_shop(tx, merchant_id=pharmacy, code="s_0009", name="百草", address="东门")
        staff = merchants.add_staff(tx, merchant_id=pharmacy, name="小药", shop_id=shop)
    ((card,),) = ask("SELECT id FROM card")
    tuesday, wednesday_after = datetime(2026, 9, 8, 12, tzinfo=zone), datetime(2026, 9, 16, 12, tzinfo=zone)
    for at in (tuesday, *(wednesday_after + timedelta(minutes=minute) for minute in range(4))):
        visit = new_id()
        with transaction() as tx:
            record_visits(tx, [PastVisit(visit, card, shop, staff, at)])
        keyed = till.AmountsKeyed(2_000, 0)
        till.redeem_at_till(
            staff_id=staff, visit_id=visit, keyed=keyed, key=f"sale-{visit}", at=at + timedelta(seconds=9)
        )
    weeks = {week: f"/record/poster.pdf?week={week}" for week in ("2026-W37", "2026-W38", "2026-W40")}
    assert all("这一周没有核销" in words(client.get(path).content) for path in weeks.values())
    ledger.publish()
    assert ask("SELECT day FROM entry WHERE type = 'batch'") == [(date(2026, 9, 30),)]
    for week in ("2026-W37", "2026-W38"):
        assert "这一周没有核销" in words(client.get(weeks[week]).content)
    assert "5笔核销，标价¥100.00的东西" in words(client.get(weeks["2026-W40"]).content)


# --- names of any length and script -----------------------------------------------------------------------------------


def texts(sheet: Any, **changed: Any) -> tuple[dict[str, Any], dict[str, str]]:
    return sheet.texts | changed, sheet.codes


def test_a_character_without_a_glyph_is_named_on_the_sheet(works: Works) -> None:
    with transaction() as tx:
        sheet = make_sheet(tx, monday=date(2026, 11, 23), address="https://card.example.org", at=now())
    given, codes = texts(sheet, union="𠮷祥鑫犇工会")  # the first is outside GB 2312
    printed = print_sheet(given, codes=codes)
    assert set(printed.missing) == set("𠮷祥鑫犇工会") - fonts()["Regular"]
    assert "𠮷" in printed.missing
    shown = words(printed.pdf)
    assert f"{STAND_IN}祥鑫" in shown
    assert "U+20BB7" in shown


def test_the_longest_names_and_largest_sums_leave_it_on_one_page(works: Works) -> None:
    with transaction() as tx:
        sheet = make_sheet(tx, monday=date(2026, 11, 23), address="https://card.example.org/", at=now())
    many = [
        {
            "title": "十一个字的优惠名称呀…",
            "gives": "满 1000 减 2…",
            "gives_en": "20 off for 1,000…",
            "who": "名字很长很长很长的商户…",
        }
    ] * 5
    huge = "99,999,999,999.99"
    amounts = dict.fromkeys(("list", "paid", "concession", "subsidy", "saved", "rebate_member", "rebate_union"), huge)
    checkpoint = {
        "origin": f"{'long-name.' * 6}example.org/log",
        "size": "9,223,372,036",
        "signed": "12月30日 23:59",
        "counted": "本页只数了前 9,223,372,036 条，其余正在补数。 Figures count the first 9,223,372,036 so far.",
        "groups": ["WWWW"] * 11,
        "witnesses": "2 / 2 家见证签了名",
        "witnesses_en": "2 of 2 outside witnesses",
    }
    given, codes = texts(
        sheet,
        **amounts,
        offers=many,
        more_offers="1,195",
        sales="99,999,999",
        checkpoint=checkpoint,
        is_demo=True,
        union="一个名字很长很长的集团公司工会委员会" * 2,
        parts=[{"name": "paid", "share": 1, "percent": "100.0%"}],
    )
    shown = words(print_sheet(given, codes=codes).pdf)
    assert shown.count("WWWW") == 11
    assert "不用登录，谁都可以看" in shown


def test_markup_in_a_name_is_print_and_not_program(works: Works) -> None:
    with transaction() as tx:
        sheet = make_sheet(tx, monday=date(2026, 11, 23), address="https://card.example.org", at=now())
    given, codes = texts(sheet, union='#read("/sheet.typ") *x* $a$ \\ #panic()')
    assert '#read("/sheet.typ")*x*$a$\\#panic()' in words(print_sheet(given, codes=codes).pdf)


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_writes_the_file_or_says_why_not(works: Works, database_url: str, tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from api.cli import main; main()", "poster", *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, env={"HUIGONG_DATABASE_URL": database_url, "PATH": ""}, check=False
        )

    file = tmp_path / "sheet.pdf"
    done = run("--to", str(file), "--address", "https://card.example.org")
    assert done.returncode == 0, done.stderr
    assert "card.example.org/record" in words(file.read_bytes())
    assert [each.name for each in tmp_path.iterdir()] == ["sheet.pdf"]
    refused = run("--to", str(tmp_path / "nowhere" / "sheet.pdf"))
    assert refused.returncode == 1
    assert "Give a folder that you may write to" in " ".join(refused.stderr.split())
