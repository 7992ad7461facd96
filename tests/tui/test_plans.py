"""Plans on an incident's screen: seen, tried on paper, used after a typed yes, given a second yes, taken back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from data.errors import LosswatchError
from data.model.plan import SwitchState
from tests.tui import corvane
from tests.tui.corvane_plans import ASKED, DRY_RUN, READY, REFUSED, USE, WORDS
from tests.tui.fake import FakeService, dashboard, said
from tests.tui.screen import SMALL, WIDE, screen_text, settle


class Planned(FakeService):
    """An incident with these plans."""

    def __init__(self, *plans, dry_run=DRY_RUN):
        super().__init__(corvane.BURNING)
        self.plans, self.found = plans, dry_run

    async def incident(self, number):
        return replace(await super().incident(number), plans=self.plans)

    async def rehearse(self, number, plan):
        await super().rehearse(number, plan)
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


async def opened(pilot, app):
    await settle(pilot)
    app.open_incident(412)
    await settle(pilot)


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_each_plan_says_whether_it_may_be_used_and_what_became_of_it(size):
    app = dashboard(service=Planned(WORDS, replace(READY, switch=USE), REFUSED))
    async with app.run_test(size=size) as pilot:
        await opened(pilot, app)
        text = screen_text(app)
        assert "applied 12m ago by maria, jan" in text
        assert "not now: own-redirector failing" in text
        assert "A  wait with a status note" in text


async def test_a_letter_shows_the_dry_run_and_a_yes_uses_it():
    service = Planned(WORDS, READY, REFUSED)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        assert "2 people must say yes" in screen_text(app)
        await pilot.press("b")
        await settle(pilot)
        text = screen_text(app)
        for words in ("- /go/0 https://halyard.example/0;", "+ /go/0 https://second.example/0;", "more lines", "ok edge-2 ok, 20 s ago",
                      "?  P11 declares no brand for DE", "moves about 412 clicks an hour", "use plan B"):  # fmt: skip
            assert words in text, words
        await pilot.press(*"yes", "enter")
        await settle(pilot)
    assert service.commands[-1] == ("plan_use", {"plan": "edge-2", "incident": 412})


async def test_anything_but_yes_changes_nothing():
    service = Planned(READY)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press("b")
        await settle(pilot)
        await pilot.press(*"no", "enter")
        await settle(pilot)
        assert "nothing was changed" in " ".join(said(app))
    assert [name for name, _ in service.commands] == ["plan_rehearse"]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (replace(DRY_RUN, refused="spare failing: 503"), "Not now: spare failing: 503"),
        (LosswatchError("go.map cannot be read"), "go.map cannot be read"),
    ],
)
async def test_what_may_not_be_used_is_said_and_not_asked(found, words):
    service = Planned(READY, dry_run=found)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press("b")
        await settle(pilot)
        assert words in " ".join(said(app))
        assert "type yes" not in screen_text(app)


async def test_the_second_yes_is_given_with_the_same_letter():
    service = Planned(replace(READY, switch=ASKED))
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        assert "1 of 2 said yes" in screen_text(app)
        await pilot.press("b", *"yes", "enter")
        await settle(pilot)
    assert service.commands == [("plan_approve", {"plan": "edge-2@x"})]


@pytest.mark.parametrize(
    ("use", "verb"), [(USE, "take back"), (ASKED, "withdraw"), (replace(USE, state=SwitchState.STUCK), "take back")]
)
async def test_u_takes_back_what_runs_and_withdraws_what_waits(use, verb):
    service = Planned(replace(READY, switch=use))
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press("u")
        await settle(pilot)
        assert f"{verb} plan B" in screen_text(app)
        await pilot.press(*"yes", "enter")
        await settle(pilot)
    assert service.commands == [("plan_revert", {"plan": "edge-2@x"})]


@pytest.mark.parametrize(
    ("plans", "key", "words"),
    [
        ((WORDS,), "a", "Plan A is words"),
        ((WORDS,), "c", "Plan C is words"),
        ((replace(READY, switch=USE),), "b", "Plan B is applied: u takes it back"),
        ((READY,), "u", "No plan of this incident is in use"),
        ((replace(READY, does="words"),), "b", "Plan B is for people to do"),
    ],
)
async def test_a_key_that_can_do_nothing_says_why(plans, key, words):
    service = Planned(*plans)
    app = dashboard(service=service)
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, app)
        await pilot.press(key)
        await settle(pilot)
        assert words in " ".join(said(app))
    assert service.commands == []
