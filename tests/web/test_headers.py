"""What every answer carries, errors included."""

import re
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from api.logs import configure_logs
from tests.web.conftest import csrf_in

STRICT = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self' http://127.0.0.1:8008"
)
EXPECTED = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}
ASKED = [
    ("GET", "/"),
    ("HEAD", "/"),
    ("GET", "/sign-in"),
    ("GET", "/me"),
    ("GET", "/nowhere"),
    ("PUT", "/me"),
    ("POST", "/sign-in"),
    ("GET", "/api/till/today"),
    ("GET", "/api/nowhere"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/api/openapi.json"),
    ("GET", "/static/css/app.css"),
    ("GET", "/static/nowhere.css"),
]


def test_every_answer_carries_the_security_headers(client: TestClient) -> None:
    for method, path in ASKED:
        answer = client.request(method, path)
        assert answer.headers["content-security-policy"] == STRICT, path
        assert {name: answer.headers[name] for name in EXPECTED} == EXPECTED, path
        assert "camera=(self)" in answer.headers["permissions-policy"], path
        assert re.fullmatch("r[0-9a-f]{16}", answer.headers["x-request-id"]), path
        assert "strict-transport-security" not in answer.headers, path
        assert "server" not in answer.headers, path
        if not path.startswith("/static/"):
            assert answer.headers["cache-control"] == "no-store", path


def test_only_the_scan_page_may_run_wasm(client: TestClient) -> None:
    assert "script-src 'self' 'wasm-unsafe-eval';" in client.get("/till/scan").headers["content-security-policy"]
    for path in ("/till", "/till/scan/x", "/till/scanner", "/"):
        assert "wasm" not in client.get(path).headers["content-security-policy"]


def test_head_is_get_without_the_body(client: TestClient) -> None:
    for path in ("/", "/sign-in", "/nowhere", "/healthz", "/static/css/app.css"):
        head, get = client.head(path), client.get(path)
        assert (head.status_code, head.content) == (get.status_code, b""), path
        assert head.headers["content-type"] == get.headers["content-type"], path


def test_files_with_a_hash_are_kept_for_ever_and_others_asked_for_again(client: TestClient) -> None:
    (address,) = set(re.findall(r'"(/static/css/app\.css\?v=[0-9a-f]+)"', client.get("/").text))
    assert client.get(address).headers["cache-control"] == "public, max-age=31536000, immutable"
    bare = client.get("/static/css/app.css")
    assert bare.headers["cache-control"] == "no-cache"
    assert client.get("/static/css/app.css", headers={"If-None-Match": bare.headers["etag"]}).status_code == 304


@pytest.mark.parametrize("path", ["/static/../pyproject.toml", "/static/%2e%2e/pyproject.toml", "/static//etc/passwd"])
def test_no_file_outside_the_folder_is_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_pages_are_compressed(client: TestClient) -> None:
    assert client.get("/", headers={"Accept-Encoding": "gzip"}).headers["content-encoding"] == "gzip"


def test_the_request_log_names_the_template_and_nothing_that_was_sent(
    client: TestClient, enter: Callable[[str], TestClient], capfd: pytest.CaptureFixture[str]
) -> None:
    configure_logs("json")  # to the streams of this test
    enter("assistant")
    token = csrf_in(client.get("/me?phone=13800138000").text)
    client.post("/api/till/visits", json={"code": "48151623"}, headers={"X-CSRF-Token": token})
    client.get("/api/till/sales/" + "a" * 32)
    client.post("/sign-in", data={"login": "wang-wei", "password": "open sesame", "csrf_token": token})
    written = capfd.readouterr().err
    assert '"route": "/api/till/sales/{sale}"' in written
    assert '"route": "/me"' in written
    for secret in ("13800138000", "48151623", "wang-wei", "open sesame", token, "a" * 32, client.cookies["hg"]):
        assert secret not in written, secret
