"""A device in words that its owner recognises."""

import pytest

from api.routes.me import describe_device


@pytest.mark.parametrize(
    ("agent", "zh", "en"),
    [
        (
            "Mozilla/5.0 (Linux; Android 10; V2001) AppleWebKit/537.36 Chrome/86.0 Mobile MicroMessenger/8.0",
            "微信 · 安卓",
            "WeChat · Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Safari/604.1",
            "Safari · iPhone",
            "Safari · iPhone",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/120.0 Safari/537.36 Edg/120.0", "Edge · Windows", "Edge · Windows"),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0",
            "Firefox · Linux",
            "Firefox · Linux",
        ),
        ("pos/1.0", "其他程序", "Another program"),
        ("", "其他程序", "Another program"),
    ],
)
def test_a_device_is_described(agent: str, zh: str, en: str) -> None:
    assert (describe_device(agent, english=False), describe_device(agent, english=True)) == (zh, en)
