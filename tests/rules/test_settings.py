"""Every setting is described for operators, with its default, and no setting is described that does not exist."""

import re
from pathlib import Path

from market.kit.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
SECRET = {"master_key", "stripe_key", "stripe_webhook_secret"}


def test_every_setting_is_described_with_its_default() -> None:
    described = dict(re.findall(r"^\| `HUIGONG_(\w+)` \| (.+?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    expected = {}
    for name, field in Settings.model_fields.items():
        default = "a known demo key" if name in SECRET else "none" if field.default is None else f"`{field.default}`"
        expected[name.upper()] = default
    assert described == expected


def test_every_description_in_the_code_is_a_sentence() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name
