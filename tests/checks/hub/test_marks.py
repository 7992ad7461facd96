"""What a link's check takes along from the inventory and the configuration, to the probe and back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from checks.engine.clock import FakeClock
from checks.engine.wire import Configure, ProbeSettings, frame, read_order
from checks.hub.board import Board
from checks.hub.probing import Probing
from data.config.home import Home
from data.config.load import load
from data.model.target import TargetKind

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
TOML = """
[[teams]]
id = "aurora"
[[partners]]
id = "P05"
probe = "subid=zz-probe"
[[partners]]
id = "P09"
[[brands]]
name = "Quillspin"
partner = "P05"
hosts = ["quillspin.example"]
licensed = ["DE"]
"""
LINKS = """link,url,team,partner,geo,device,depth
desktop,http://go.example/out?btag=1&subid=9,aurora,P05,DE,,
phone,http://go.example/out?btag=1&subid=9,aurora,P05,DE,mobile,
other,http://go.example/out?btag=1&subid=9,aurora,P09,,,1
"""
SITES = "site,url,team\nkiel,http://kiel.example/,aurora\n"


@pytest.fixture
def settings(tmp_path):
    home = Home.find(str(tmp_path / "home"))
    home.inventory.mkdir(parents=True)
    home.toml.write_text(TOML)
    (home.inventory / "links.csv").write_text(LINKS)
    (home.inventory / "sites.csv").write_text(SITES)
    return load(home)


@pytest.fixture
def check(settings):
    async def take(_observations):
        pass

    async def probing():
        return Probing(settings, Board(), FakeClock(NOON), 1, take)

    made = asyncio.run(probing())
    for target in settings.targets:
        made.board.put_target(target)
    return lambda name: next(made._check(target.id, NOON) for target in settings.targets if target.name == name)


def test_a_partner_that_agreed_to_a_mark_sees_it_on_every_probe_and_the_others_never(check):
    assert check("desktop").url == "http://go.example/out?btag=1&subid=zz-probe"
    assert check("other").url == "http://go.example/out?btag=1&subid=9"
    assert check("kiel").url == "http://kiel.example/"


def test_one_link_listed_twice_is_looked_at_as_a_desktop_and_as_a_phone(check):
    assert (check("desktop").device, check("phone").device) == ("", "mobile")
    assert check("desktop").target != check("phone").target


def test_a_check_takes_its_partner_and_its_depth_along(check):
    assert (check("desktop").partner, check("other").partner, check("other").depth) == ("P05", "P09", 1)
    assert check("kiel").kind is TargetKind.SITE


async def test_brands_reach_the_probe_as_they_were_configured(settings):
    reader = asyncio.StreamReader()
    reader.feed_data(frame(Configure(ProbeSettings.of(settings))))
    order = await read_order(reader)
    assert order.settings.brands == settings.brands
    assert order.settings.brands[0].licensed == ("DE",)
