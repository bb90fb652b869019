"""Every page with sample data, to look at: in a browser, as screenshots, through axe.

python -m bench.gallery serve [--port 8765]
python -m bench.gallery shoot FOLDER [--only card,till] [--width 360,1280] [--theme light,dark] [--lang zh-CN,en]
python -m bench.gallery axe          every page, light and dark, phone and desktop: violations and page errors
python -m bench.gallery docs         the pictures of the README, into docs/images
python -m bench.gallery weigh        bytes over gzip of a first visit, page by page
"""

import argparse
import gzip
import re
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from api.demo.still_life import THINGS, draw_thing
from api.pages.kit import render, render_text, resolve_language, resolve_theme
from tests.gallery.frame import Sample, chrome
from tests.gallery.samples import SAMPLES

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

ROOT = Path(__file__).parents[1]
BY_NAME = {sample.name: sample for sample in SAMPLES}
POLICY = (
    "default-src 'self'; script-src 'self'{wasm}; style-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)


def page(request: Request) -> Response:
    """One sample: /<name>?lang=&theme=&block=. A part asked for by htmx answers with the sample's status, a page with 200."""
    sample = BY_NAME.get(request.path_params["name"])
    if sample is None:
        return HTMLResponse("no such sample", status_code=404)
    query = request.query_params
    language = resolve_language(asked=query.get("lang"), cookie=None, accept=None)
    theme = resolve_theme(query.get("theme", "light"))
    request.state.chrome = chrome(sample, language=language, theme=theme, notice=query.get("notice"))
    response = render(
        request,
        sample.template,
        sample.view,
        block=query.get("block"),
        status=sample.status if "block" in query else 200,
    )
    response.headers["Content-Security-Policy"] = POLICY.format(
        wasm=" 'wasm-unsafe-eval'" if sample.template == "till/scan.html" else ""
    )
    return response


def contents(_request: Request) -> Response:
    """Links to all samples."""
    links = "".join(
        f'<li><a href="/{s.name}">{s.name}</a> <a href="/{s.name}?theme=dark">dark</a> <a href="/{s.name}?lang=en">en</a></li>'
        for s in SAMPLES
    )
    return HTMLResponse(f"<!doctype html><title>Gallery</title><ul>{links}</ul>")


def photo(request: Request) -> Response:
    """A picture of a product, drawn as the demo's are; its id chooses which."""
    things = sorted(THINGS)
    number = int(request.path_params["picture"][-2:], 16)
    return Response(draw_thing(things[number % len(things)], number), media_type="image/jpeg")


app = Starlette(
    routes=[
        Route("/", contents),
        Mount("/static", StaticFiles(directory=ROOT / "static")),
        Route("/pictures/{picture}/{size}", photo),
        Route("/{name}", page),
    ],
    middleware=[Middleware(GZipMiddleware)],
)


@contextmanager
def serving() -> Iterator[str]:
    """The gallery on a free loopback port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@contextmanager
def browser() -> Iterator["Browser"]:
    """Debian's Chromium."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  (only for pictures; the rest of the gallery runs without)

    flags = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
        yield chromium
        chromium.close()


def shoot(
    folder: Path,
    samples: list[Sample],
    *,
    widths: list[int],
    themes: list[str],
    languages: list[str],
    whole: bool = True,
    scale: int = 1,
) -> None:
    """Write one PNG for each sample, width, theme and language."""
    folder.mkdir(parents=True, exist_ok=True)
    with serving() as base, browser() as chromium:
        for width in widths:
            context = chromium.new_context(
                viewport={"width": width, "height": 740 if width < 700 else 860}, device_scale_factor=scale
            )
            tab = context.new_page()
            for sample in samples:
                for theme in themes:
                    for language in languages:
                        tab.goto(f"{base}/{sample.name}?theme={theme}&lang={language}")
                        tab.wait_for_load_state("networkidle")
                        name = f"{sample.name}-{width}-{theme}-{language}.png"
                        tab.screenshot(path=str(folder / name), full_page=whole)
                        wide = tab.evaluate("document.documentElement.scrollWidth - window.innerWidth")
                        if wide > 0:
                            print(f"{name}: {wide} px too wide")
            context.close()


def picture_readme(folder: Path) -> None:
    """The two pictures of the README: a member's phone and a till's."""
    with tempfile.TemporaryDirectory() as made:
        shoot(
            Path(made),
            [BY_NAME["card"], BY_NAME["visit-quote"]],
            widths=[390],
            themes=["light"],
            languages=["zh-CN"],
            whole=False,
            scale=2,
        )
        folder.mkdir(parents=True, exist_ok=True)
        for name, file in (("card", "member-phone.png"), ("visit-quote", "till-phone.png")):
            shutil.copyfile(Path(made) / f"{name}-390-light-zh-CN.png", folder / file)


def axe(samples: list[Sample], *, widths: list[int], themes: list[str]) -> int:
    """Run axe over the samples; print and count violations, console errors and sideways overflow."""
    found = 0
    with serving() as base, browser() as chromium:
        for width in widths:
            context = chromium.new_context(viewport={"width": width, "height": 800})
            for sample in samples:
                for theme in themes:
                    for finding in findings(context, f"{base}/{sample.name}?theme={theme}"):
                        found += 1
                        print(f"{sample.name} {width} {theme}: {finding}")
            context.close()
    print(f"{found} findings in {len(samples) * len(widths) * len(themes)} page views")
    return found


def findings(context: "BrowserContext", url: str) -> list[str]:
    """What is wrong with one page: axe's violations, the console, anything wider than the window."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415  (a development dependency)

    tab = context.new_page()
    console: list[str] = []
    tab.on("console", lambda message: console.append(message.text) if message.type in {"error", "warning"} else None)
    tab.on("pageerror", lambda error: console.append(str(error)))
    tab.goto(url)
    tab.wait_for_load_state("networkidle")
    violations = Axe().run(tab).response["violations"]
    found = [
        f"{rule['id']}: {node['target']} {node.get('failureSummary', '')[:300]}"
        for rule in violations
        for node in rule["nodes"]
    ]
    found += [f"console: {line}" for line in console]
    wide = tab.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    if wide > 0:
        found.append(f"{wide} px too wide")
    tab.close()
    return found


def weigh(sample: Sample) -> tuple[int, int]:
    """Bytes over gzip of a first visit: the page itself, and the page with all it links (style, script, picture)."""
    html = render_text(sample.template, sample.view, chrome(sample))
    own = len(gzip.compress(html.encode(), 6))
    linked = set(re.findall(r'(?:href|src)="/static/([^"?]+)\?', html))
    linked |= {
        f"img/{name}"
        for path in list(linked)
        if path.endswith(".css")
        for name in re.findall(r'url\("\.\./img/([^"]+)"\)', (ROOT / "static" / path).read_text())
    }
    return own, own + sum(len(gzip.compress((ROOT / "static" / path).read_bytes(), 6)) for path in linked)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.gallery")
    parser.add_argument("what", choices=["serve", "shoot", "axe", "docs", "weigh"])
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--only", default=",".join(BY_NAME))
    parser.add_argument("--width", default="360,1280")
    parser.add_argument("--theme", default="light,dark")
    parser.add_argument("--lang", default="zh-CN")
    asked = parser.parse_args()
    samples = [BY_NAME[name] for name in asked.only.split(",")]
    widths, themes, languages = (
        [int(width) for width in asked.width.split(",")],
        asked.theme.split(","),
        asked.lang.split(","),
    )
    if asked.what == "serve":
        uvicorn.run(app, host="127.0.0.1", port=asked.port)
    elif asked.what == "shoot":
        shoot(asked.folder, samples, widths=widths, themes=themes, languages=languages)
    elif asked.what == "docs":
        picture_readme(asked.folder)
    elif asked.what == "weigh":
        for sample in samples:
            own, whole = weigh(sample)
            print(f"{sample.name:20} page {own:7,} B   first visit {whole:7,} B")
    else:
        sys.exit(1 if axe(samples, widths=widths, themes=themes) else 0)


if __name__ == "__main__":
    main()
