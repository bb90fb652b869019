"""The same seed makes the same works: in one process or two, at one go or after a kill."""

import os
import signal
import subprocess
import sys
import time
from datetime import date

from sqlalchemy import Engine, create_engine, text

from api.demo.build import DemoSummary, build_demo
from tests.stages import Begun

BUILD = """
import sys
from datetime import date
from api.demo.build import build_demo
from market.kit.database import connect
connect(sys.argv[1])
build_demo(size="tiny", until=date(2026, 11, 20))
"""

UNTIL = date(2026, 11, 20)

# Everything that people and the public see of a works. What a purse held at the moment of a sale depends on who came first.
FACES = {
    "sales": """SELECT s.key, s.at, sh.code, m.staff_number, s.list_fen, s.concession_fen, s.subsidy_fen, s.paid_fen, s.back_paid_fen,
                convert_from(s.basket, 'UTF8'), convert_from(s.facts, 'UTF8')::jsonb - 'book' - 'purses'
                FROM sale s JOIN shop sh ON sh.id = s.shop_id JOIN member m ON m.subject = s.subject ORDER BY s.key""",
    # The key of a return that was asked for holds the request's id, which is another each time.
    "returns": "SELECT split_part(key, 'request:', 1), kind, at, list_fen, concession_fen, subsidy_fen, paid_fen FROM reversal"
    " ORDER BY 1, 3, 4",
    "requests": "SELECT o.key, q.at, q.units, q.cause, q.words, q.state, q.ended_at, q.answer FROM return_request q"
    " JOIN member_order o ON o.id = q.order_id ORDER BY q.at, 1",
    "budgets": "SELECT id, sum(left_over) FROM balance WHERE id LIKE 'budget:%' GROUP BY id ORDER BY id",
    "members": "SELECT m.staff_number, m.name, m.phone, m.grade, m.tags, m.state, m.joined_on, u.path FROM member m"
    " JOIN unit u ON u.id = m.unit_id ORDER BY 1",
    "shops": "SELECT s.code, s.name, s.address, s.till, m.credit_code, m.name FROM shop s JOIN merchant m ON m.id = s.merchant_id ORDER BY 1",
    "offers": "SELECT offer, version, state, title, terms, limits, approved_at, ended_at FROM offer_version ORDER BY 1, 2",
    "entries": "SELECT type, count(*) FROM entry GROUP BY 1 ORDER BY 1",
    "accounts": "SELECT a.id, a.login, a.name, r.role FROM account a JOIN account_role r ON r.account_id = a.id ORDER BY 2",
    "imports": "SELECT file_name, rows_read, rows_changed, rows_refused FROM import_run",
}


def faces(url: str) -> dict[str, list[tuple[object, ...]]]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = {name: [tuple(row) for row in connection.execute(text(query))] for name, query in FACES.items()}
    engine.dispose()
    return found


def wait_for_sales(url: str, count: int, builder: subprocess.Popen[bytes]) -> None:
    engine = create_engine(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while connection.execute(text("SELECT count(*) FROM sale")).scalar_one() < count:
            assert builder.poll() is None, "it ended before it was killed"
            time.sleep(0.02)
    engine.dispose()


def test_two_processes_make_what_one_makes(works: tuple[str, DemoSummary], database: Engine, begun: Begun) -> None:
    build_demo(size="tiny", until=UNTIL, processes=2)
    assert faces(begun.url) == faces(works[0])


def test_a_build_that_was_killed_goes_on_to_the_same_works(works: tuple[str, DemoSummary], database_url: str) -> None:
    for sales in (20, 90):
        killed = subprocess.Popen([sys.executable, "-c", BUILD, database_url])
        wait_for_sales(database_url, sales, killed)
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
    done = subprocess.run([sys.executable, "-c", BUILD, database_url], check=False)
    assert done.returncode == 0
    assert faces(database_url) == faces(works[0])
