"""Which step of the funnel moved first, and what that usually means: the rules of the house as a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.revenue.funnel import BUYER, STEPS, Counted, count_interval, count_nats, funnel, words
from data.model.cause import DEVELOPER, FINANCE, MANAGER, SEO

NOW = datetime(2026, 11, 17, 14, tzinfo=UTC)
SINCE = NOW - timedelta(hours=12)


def counted(own=(1000, 1000), partner=(900, 900), regs=(80, 80), ftd=(20, 20), money=(2200, 2200)):
    names = dict(zip(STEPS, (own, partner, regs, ftd, money), strict=True))
    found = {name: Counted(*pair) for name, pair in names.items()}
    found["commission"] = Counted(*money, event_cv2=0.1, events=ftd[0])
    return found


def told(only=None, **steps):
    return funnel(counted(**steps), SINCE, NOW, only=only or {})


@pytest.mark.parametrize(
    ("steps", "step", "owner", "said"),
    [
        pytest.param({}, "", "", "", id="nothing moved"),
        pytest.param(
            {"own": (200, 1000), "partner": (180, 180), "regs": (16, 16), "ftd": (4, 4), "money": (440, 440)},
            "own clicks", SEO, "own clicks fell: the site, its search traffic", id="own clicks fell, all else follows",
        ),
        pytest.param(
            {"partner": (300, 900), "regs": (27, 27), "ftd": (7, 7), "money": (770, 770)},
            "partner clicks", DEVELOPER, "the partner counts fewer: tracking", id="own flat, partner clicks fell",
        ),
        pytest.param(
            {"regs": (20, 80), "ftd": (5, 5), "money": (550, 550)},
            "registrations", MANAGER, "registrations fell: landing page or registration form", id="both clicks flat, regs fell",
        ),
        pytest.param(
            {"partner": (None, 900), "regs": (20, 80), "ftd": (5, 5), "money": (550, 550)},
            "registrations", MANAGER, "tracking, landing page or registration form", id="nobody counts the partner's clicks",
        ),
        pytest.param(
            {"ftd": (2, 20), "money": (220, 220)},
            "FTD", MANAGER,
            "registrations are flat, first deposits fell: cashier, KYC or a changed definition", id="regs flat, FTD fell",
        ),
        pytest.param(
            {"money": (22, 2200)}, "commission", FINANCE,
            "first deposits are flat, commission fell: deal, unit or claw-back", id="FTD flat, commission fell",
        ),
        pytest.param(
            {"money": (220_000, 2200)}, "commission", FINANCE, "unit, currency or one large winner", id="minor units",
        ),
        pytest.param(
            {"own": (6000, 1000), "partner": (5400, 5400), "regs": (80, 480), "ftd": (20, 20)},
            "own clicks", BUYER, "robots, or a campaign", id="junk clicks are said of the clicks, not of registrations",
        ),
        pytest.param(
            {"own": (750, 1000), "partner": (675, 675), "regs": (60, 60), "ftd": (15, 15), "money": (1650, 1650)},
            "", "", "", id="a slow day is within what traffic does",
        ),
        pytest.param({"partner": (0, 0), "regs": (0, 0), "ftd": (0, 0), "money": (0, 0)}, "", "", "", id="nothing expected"),
        pytest.param({"ftd": (0, 3), "money": (0, 0)}, "", "", "", id="three that did not come prove nothing"),
    ],
)  # fmt: skip
def test_the_first_step_that_moved_names_the_cause(steps, step, owner, said):
    found = told(**steps)
    assert (found.step, found.owner) == (step, owner)
    assert said in words(found)
    assert bool(words(found)) == bool(step)
    assert [one.name for one in found.steps] == list(STEPS)


@pytest.mark.parametrize(
    ("only", "steps", "said"),
    [
        ({"geo": "PL"}, {"regs": (20, 80), "ftd": (5, 5), "money": (550, 550)}, "only PL: GEO block, licence or provider"),
        ({"geo": "PL"}, {"ftd": (2, 20), "money": (220, 220)}, "cashier, KYC or a changed definition; only PL: payment provider"),
        ({"device": "mobile"}, {"regs": (20, 80), "ftd": (5, 5), "money": (550, 550)}, "app, deep link or form on mobile"),
        ({"template": "review"}, {"own": (200, 1000)}, "CMS or template review"),
        ({"geo": "PL"}, {}, ""),
    ],
)  # fmt: skip
def test_one_country_device_or_template_alone_sharpens_the_guess(only, steps, said):
    assert said in told(only, **steps).likely


def test_a_step_without_an_expectation_is_shown_and_never_blamed():
    found = funnel({"own clicks": Counted(50, None), "registrations": Counted(None, None)}, SINCE, NOW)
    assert found.steps[0].seen == 50
    assert found.steps[0].expected is None
    assert not any(step.moved for step in found.steps)


@given(st.floats(0.01, 5000), st.floats(0.01, 0.5))
def test_the_interval_holds_its_mean_and_what_is_as_expected_is_no_evidence(expected, wander):
    lo, hi = count_interval(expected, wander)
    assert 0 <= lo <= hi
    assert lo <= expected + 1
    assert hi >= expected - 1
    assert count_nats(expected, expected, wander) == pytest.approx(0, abs=1e-6)


@given(st.integers(0, 400), st.floats(0.5, 400))
def test_evidence_grows_the_further_a_count_is_from_what_was_expected(seen, expected):
    away = 1 if seen >= expected else -1
    further = seen + away
    if further >= 0:
        assert count_nats(further, expected, 0.1) >= count_nats(seen, expected, 0.1) - 1e-9
