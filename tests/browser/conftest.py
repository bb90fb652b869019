"""For journeys in Chromium through the served application: Debian's own, phone and desk, both languages, light and dark.

A page from `open_page` must end its test with an empty console. `look_at` judges a page: nothing sticks out sideways and
axe finds no fault. A picture of what fails, and with `make prove` of every page, stays in `artefacts/` for a person to judge.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page

from market.kit.postgres import Cluster, create_database

ARTEFACTS = Path(__file__).parents[2] / "artefacts"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SCREENS = {
    "small phone": {"viewport": {"width": 320, "height": 640}, "is_mobile": True, "has_touch": True},
    "phone": {
        "viewport": {"width": 360, "height": 780},
        "is_mobile": True,
        "has_touch": True,
        "device_scale_factor": 2,
    },
    "desk": {"viewport": {"width": 1280, "height": 800}},
}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.long)


@pytest.fixture(scope="session")
def site(cluster: Cluster, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the application as an operator runs it, with the tiny demo works in it. Tests of one process share it."""
    create_database(cluster, "site", template=template)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"HUIGONG_DATABASE_URL": cluster.url("site"), "HUIGONG_PORT": str(port), "HUIGONG_LOG_FORMAT": "json"}
    environment = {**os.environ, **settings}
    huigong = str(Path(sys.executable).with_name("huigong"))
    log = tmp_path_factory.mktemp("site") / "log"
    with log.open("w") as output:
        built = subprocess.run(
            [huigong, "demo", "--size", "tiny"], env=environment, stdout=output, stderr=output, check=False
        )
        assert built.returncode == 0, log.read_text()
        server = subprocess.Popen([huigong, "serve"], env=environment, stdout=output, stderr=output)
        try:
            _wait_for(f"http://127.0.0.1:{port}/readyz", server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=30)
    assert "Traceback" not in log.read_text(), log.read_text()


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 180
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)


@pytest.fixture
def enter(site: str) -> Callable[[Page, str], None]:
    """`enter(page, "member")`: sign in through the demo door of that role."""

    def enter_(page: Page, role: str) -> None:
        page.goto(site)
        with page.expect_navigation() as arriving:
            page.locator(f"button[name=role][value={role}]").first.click()
        assert arriving.value.status == 200, arriving.value.url

    return enter_


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    """The engine alone where there is one, else the whole browser. Without either they fail: a test skipped unseen is worth nothing."""
    chromium = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    assert chromium, "As root: apt-get install chromium fontconfig fonts-noto-cjk (`make test` as root does it)"
    return {"executable_path": chromium, "args": FLAGS}


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """`open_page("phone", scheme="dark", language="en", base_url=…)`: a page with its own cookies.

    Further keywords go to the browser context. What the console or an uncaught error says fails the test at its end,
    except Chromium's own line about an answer of 4xx, which tests provoke on purpose.
    """
    complaints: list[str] = []
    contexts = []

    def open_(screen: str = "phone", *, scheme: str = "light", language: str = "zh-CN", **more: Any) -> Page:
        context = browser.new_context(
            **SCREENS[screen], color_scheme=scheme, locale=language, timezone_id="Asia/Shanghai", **more
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.on(
            "console", lambda message: complaints.append(f"{page.url}: {message.text}") if _is_bad(message) else None
        )
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture
def look_at(request: pytest.FixtureRequest) -> Callable[..., None]:
    """`look_at(page, "member card")`: judge the page as it stands."""

    def keep(page: Page, name: str) -> None:
        ARTEFACTS.mkdir(exist_ok=True)
        file = re.sub(r"[^\w]+", "-", f"{request.node.name}-{name}").strip("-")
        page.screenshot(path=ARTEFACTS / f"{file}.png", full_page=True, caret="initial")

    def judge(page: Page, name: str) -> None:
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, f"{name} is {wider} px wider than the screen"
        # Judged at full height: what a bar that stays in view covers at this moment can be scrolled free.
        screen = page.viewport_size
        assert screen is not None
        whole = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": screen["width"], "height": max(whole, screen["height"])})
        found = Axe().run(page, options={"runOnly": RULES, "resultTypes": ["violations"]})
        page.set_viewport_size(screen)
        assert found.violations_count == 0, found.generate_report()

    def look(page: Page, name: str) -> None:
        is_kept = "HUIGONG_PROVE" in os.environ
        try:
            judge(page, name)
        except AssertionError:
            is_kept = True
            raise
        finally:
            if is_kept:
                keep(page, name)

    return look


def _is_bad(said: ConsoleMessage) -> bool:
    return said.type in ("error", "warning") and not re.match(r"Failed to load resource: .*status of 4", said.text)
