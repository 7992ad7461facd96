"""Several vantages of one country, each with a name."""

from __future__ import annotations

from data.config.home import Home
from data.config.load import load

TOML = """
[[vantages]]
country = "de"
proxy = "http://127.0.0.1:1"
[[vantages]]
country = "AT"
proxy = "socks5h://user:word@127.0.0.1:2"
[[vantages]]
country = "DE"
proxy = "socks4a://127.0.0.1:3"
[[vantages]]
country = "DE"
name = "berlin-mobile"
proxy = "https://127.0.0.1:4"
"""


def test_vantages_of_one_country_are_numbered_unless_named(tmp_path):
    (tmp_path / "losswatch.toml").write_text(TOML)
    found = load(Home.find(str(tmp_path))).vantages
    assert [(vantage.country, vantage.name) for vantage in found] == [
        ("DE", "DE"),
        ("AT", "AT"),
        ("DE", "DE-2"),
        ("DE", "berlin-mobile"),
    ]
