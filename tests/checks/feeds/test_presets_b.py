"""What presets of networks, trackers and tenants do beyond the common table: over several pulls, and to what is concluded."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from checks.feeds import preset as presets
from checks.feeds.canonical import canonical, uses
from checks.feeds.change import Use
from checks.feeds.judge import judge
from checks.feeds.pull import TokenCache
from checks.feeds.request import call, windows
from data.model.state import State
from tests.street.partners import SECRET, Dialect
from tests.street.partners_b_impact import IMPACT, STATES, action
from tests.street.partners_b_networks import CAKE, EVERFLOW
from tests.street.partners_b_tenants import ALANBASE_CONVERSIONS, REFERON, REFERON_COLUMNS
from tests.street.partners_b_trackers import VOLUUM

from .conftest import CALM, NOW, feed, pulled, serving

STEP = timedelta(minutes=15)
ZONES = ("UTC", "America/New_York", "Europe/Moscow", "Asia/Kolkata", "Pacific/Auckland", "Pacific/Kiritimati")


async def read(dialect: Dialect, app, now: datetime = NOW, tokens: TokenCache | None = None, **options: str):
    account = feed(
        "", dialect.preset, account=dialect.account, options={"min_gap_s": "0", **dialect.options, **options}
    )
    async with serving(app) as url:
        return await pulled(
            replace(account, base_url=url), presets.load(dialect.preset), dialect.secret, now, tokens or TokenCache()
        )


class Story:
    """One account, judged pull after pull with what the pulls before left behind."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect, self.baseline, self.known = dialect, None, {}

    async def pull(self, trap: str = "", now: datetime = NOW, app=None):
        preset, account = presets.load(self.dialect.preset), feed("", self.dialect.preset, options=self.dialect.options)
        found = await read(self.dialect, app or self.dialect.serve(trap), now)
        outcome = judge(account, preset, found, self.baseline, tuple(self.known.values()), now)
        self.baseline = outcome.baseline
        self.known |= {(stat.day, stat.currency, *sorted(stat.dims.items())): stat for stat in outcome.stats}
        return outcome

    def total(self, day: date, measure: str) -> Decimal:
        return sum(
            (stat.measures[measure] or Decimal(0) for stat in self.known.values() if stat.day == day), Decimal(0)
        )


def told(outcome) -> tuple[State, str]:
    return outcome.observation.state, outcome.observation.cause


# ── the same account again and again ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("dialect", [IMPACT, ALANBASE_CONVERSIONS, EVERFLOW, CAKE, VOLUUM], ids=lambda one: one.title)
async def test_a_partner_that_answers_the_same_twice_gives_nobody_reason_to_look(dialect):
    story = Story(dialect)
    for step in range(3):
        outcome = await story.pull(now=NOW + step * STEP)
        assert told(outcome) == (State.OK, ""), outcome.observation.detail
        assert not outcome.changes


async def test_an_action_that_is_reversed_later_lowers_what_was_paid_and_the_count():
    story, day = Story(IMPACT), date(2026, 11, 16)
    await story.pull()
    assert (story.total(day, "commission_total"), story.total(day, "conversions")) == (Decimal("229.50"), 3)
    outcome = await story.pull("reversed", NOW + STEP)
    assert outcome.stats
    assert (story.total(day, "commission_total"), story.total(day, "conversions")) == (Decimal(153), 2)
    assert story.total(day, "commission_pending") == Decimal("76.50")


async def test_two_players_of_one_day_are_two_events_and_no_repeated_key():
    def log(count: int) -> Starlette:
        def listed(request):
            found = [action(date(2026, 11, 16), hour, "APPROVED") for hour in range(count)]
            return JSONResponse({"@numpages": "1", "Actions": found})

        return Starlette(routes=[Route("/Mediapartners/{sid}/Actions.json", listed)])

    story, day = Story(IMPACT), date(2026, 11, 16)
    assert told(await story.pull(app=log(1))) == (State.OK, "")
    assert told(await story.pull(now=NOW + STEP, app=log(4))) == (State.OK, "")
    assert (story.total(day, "conversions"), story.total(day, "commission_total")) == (4, 306)


async def test_payouts_that_became_cents_are_held_back_although_several_figures_are_read_from_them():
    def log(factor: int) -> Starlette:
        def listed(request):
            found = [
                action(date(2026, 11, 16), hour, "APPROVED")
                | {"SubId1": f"go-{site}", "Id": f"{hour}.{site}", "Payout": f"{3**site * (1 + hour) * factor:.2f}"}
                for hour in (3, 9)
                for site in range(6)
            ]
            return JSONResponse({"@numpages": "1", "Actions": found})

        return Starlette(routes=[Route("/Mediapartners/{sid}/Actions.json", listed)])

    story = Story(IMPACT)
    assert told(await story.pull(app=log(1))) == (State.OK, "")
    outcome = await story.pull(now=NOW + STEP, app=log(100))
    assert told(outcome) == (State.FAILING, "feed.scale")
    assert not outcome.stats


async def test_goals_of_a_conversion_log_become_a_day_of_registrations_and_deposits():
    story, day = Story(ALANBASE_CONVERSIONS), date(2026, 11, 16)
    await story.pull()
    figures = {name: story.total(day, name) for name in ("registrations", "ftd_count", "qftd_count", "deposit_count")}
    assert figures == {"registrations": 1, "ftd_count": 2, "qftd_count": 1, "deposit_count": 3}
    assert story.total(day, "commission_total") == Decimal("76.50")


async def test_a_report_that_claims_more_rows_than_it_gives_is_cut_off():
    def cut(count: int) -> Starlette:
        def session(request):
            return JSONResponse({"token": "session-token"})

        def report(request):
            row = {"campaignName": "Slots DE", "visits": 120, "uniqueVisits": 96, "conversions": 6, "revenue": 459.0}
            rows = [{"day": f"2026-11-{day}", **row} for day in (15, 16, 17)]
            return JSONResponse({"rows": rows[int(request.query_params["offset"]) :], "totalRows": count})

        return Starlette(routes=[Route("/auth/access/session", session, methods=["POST"]), Route("/report", report)])

    story = Story(VOLUUM)
    assert told(await story.pull(app=cut(3))) == (State.OK, "")
    outcome = await story.pull(now=NOW + STEP, app=cut(999))
    assert told(outcome) == (State.FAILING, "feed.paging")
    assert not outcome.stats


async def test_a_session_that_the_platform_ended_is_asked_for_again_once():
    asked: list[str] = []

    def session(request):
        asked.append(f"session-token-{len(asked) + 1}")
        return JSONResponse({"token": asked[-1]})

    def report(request):
        if request.headers["cwauth-token"] != f"session-token-{alive}":
            return JSONResponse({"error": {"code": "UNAUTHORIZED", "description": "Session expired"}}, 401)
        return JSONResponse({"rows": [], "totalRows": 0})

    app = Starlette(routes=[Route("/auth/access/session", session, methods=["POST"]), Route("/report", report)])
    tokens, alive = TokenCache(), 1
    async with serving(app) as url:
        account = feed(url, "voluum", options={"min_gap_s": "0"})
        for step in ((1, 1), (1, 1), (2, 2)):
            alive, calls = step
            got = await pulled(account, presets.load("voluum"), VOLUUM.secret, NOW, tokens)
            assert got.problem is None
            assert len(asked) == calls
        alive = 9
        got = await pulled(account, presets.load("voluum"), VOLUUM.secret, NOW, tokens)
    assert got.problem.cause == "feed.auth"
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("columns", "cause"), [(REFERON_COLUMNS[1:], "feed.contract"), ((*REFERON_COLUMNS[:3], "Geo"), "feed.contract")]
)
async def test_a_saved_report_that_somebody_edited_is_held_back_and_stores_nothing(columns, cause):
    def edited(request):
        line = ",".join("1" for _ in columns)
        return PlainTextResponse("\n".join([",".join(columns), line, line]), media_type="text/csv")

    story = Story(REFERON)
    await story.pull()
    outcome = await story.pull(now=NOW + STEP, app=Starlette(routes=[Route("/statistics/preset", edited)]))
    assert told(outcome) == (State.FAILING, cause)
    assert not outcome.stats


async def test_a_saved_link_without_a_range_gives_always_the_same_days_and_each_is_taken_once():
    def always_the_same_week(request):
        line = "Saltwick,go-1,240,190,22,6,180.00,5,9,1450.25,35.00,9000.00,900.10,5,382.50,90.01,472.51"
        lines = [f"2026-11-{day},{line}" for day in range(11, 20)]
        return PlainTextResponse("\n".join([",".join(REFERON_COLUMNS), *lines]), media_type="text/csv")

    app = Starlette(routes=[Route("/statistics/preset", always_the_same_week)])
    got = await read(REFERON, app, max_days="1")
    assert got.problem is None
    assert [row.day.day for row in got.rows] == list(range(11, 20))


# ── what is asked for ────────────────────────────────────────────────────────────────────────────────────────────────


@CALM
@given(st.dates(date(2024, 1, 1), date(2030, 1, 1)), st.integers(0, 200))
def test_cake_is_never_asked_for_more_than_29_days_and_every_day_once(first, length):
    preset, asked = presets.load("cake"), []
    for start, end in windows(first, first + timedelta(days=length), preset.window):
        params = dict(call(feed(preset="cake"), preset, SECRET, start, end).params)
        from_day, to_day = date.fromisoformat(params["start_date"]), date.fromisoformat(params["end_date"])
        assert 0 < (to_day - from_day).days <= 29
        asked += [from_day + timedelta(days=n) for n in range((to_day - from_day).days)]
    assert asked == [first + timedelta(days=n) for n in range(length + 1)]


@pytest.mark.parametrize("name", ["scaleo", "tune", "cake", "redtrack", "referon"])
def test_a_key_that_travels_in_the_query_is_in_no_text_of_the_call(name):
    made = call(feed(preset=name), presets.load(name), "hunter2-secret", NOW.date(), NOW.date())
    assert "hunter2-secret" in dict(made.params).values()
    assert "hunter2-secret" not in f"{made.url} {made.headers} {made.content!r}"


# ── what is understood ───────────────────────────────────────────────────────────────────────────────────────────────


@CALM
@given(st.dates(date(2010, 1, 1), date(2035, 1, 1)), st.sampled_from(ZONES))
def test_an_epoch_second_names_its_day_whether_it_is_midnight_in_the_zone_or_in_utc(day, zone):
    preset = msgspec.structs.replace(presets.load("everflow"), timezone=zone)
    for midnight in (datetime(day.year, day.month, day.day, tzinfo=one) for one in (UTC, ZoneInfo(zone))):
        for written in (int(midnight.timestamp()), str(int(midnight.timestamp()))):
            (row,) = canonical([{"columns.date": written}], preset)
            assert row.day == day


@CALM
@given(
    st.lists(st.tuples(st.sampled_from([*STATES, "approved", "UNKNOWN", "", None]), st.integers(0, 10**6)), max_size=30)
)
def test_conditions_on_events_share_out_every_cent_and_no_event_counts_twice(events):
    records = [
        action(NOW.date(), 1, "APPROVED") | {"Id": str(n), "State": state, "Payout": f"{cents / 100:.2f}"}
        for n, (state, cents) in enumerate(events)
    ]
    rows = canonical(records, presets.load("impact"))

    def cents_of(*states: str) -> int:
        return sum(cents for state, cents in events if state is not None and state.upper() in states)

    def total(name: str) -> Decimal:
        return sum((row.measures[name] or Decimal(0) for row in rows), Decimal(0)) * 100

    assert total("commission_total") == cents_of("APPROVED", "PENDING")
    assert total("commission_pending") == cents_of("PENDING")
    assert total("commission_rejected") == cents_of("REVERSED")
    assert all(
        (row.measures["conversions"] is None) == (state is None) for row, (state, _) in zip(rows, events, strict=True)
    )


def test_an_event_whose_condition_is_not_delivered_says_nothing_instead_of_zero():
    record = action(NOW.date(), 1, "APPROVED")
    del record["State"]
    (row,) = canonical([record], presets.load("impact"))
    assert row.measures == {}


def flat_record(preset) -> dict[str, object]:
    """A record by its whole paths in which every field of the preset says 7."""
    found: dict[str, object] = {preset.rows.day: "a day"}
    for field in preset.fields.values():
        found |= {path: words[0] for path, words in field.when.items()}
        found |= dict.fromkeys((field.source, *field.plus), "7") if field.source else {}
    return found


MEASURED = [
    (name, measure) for name in presets.names() for measure, one in presets.load(name).fields.items() if one.source
]


@pytest.mark.parametrize(("name", "measure"), MEASURED, ids=[" ".join(pair) for pair in MEASURED])
def test_null_zero_and_not_delivered_stay_three_facts_in_every_preset(name, measure):
    preset = presets.load(name)
    field, record = preset.fields[measure], flat_record(preset)
    met = record | {path: words[0] for path, words in field.when.items()}

    def said(changed: dict[str, object]) -> object:
        (row,) = canonical([changed], preset)
        return row.measures.get(measure, "nothing")

    assert said(met | {field.source: None}) is None
    assert said(met | {field.source: ""}) is None
    assert said(met | dict.fromkeys((field.source, *field.plus), "0")) == 0
    without = {path: value for path, value in met.items() if path != field.source}
    assert said(without) == (0 if field.missing == "zero" else "nothing")


def test_the_paths_that_conditions_stand_on_are_watched_like_dimensions():
    assert uses(presets.load("alanbase_conversions"))["goal.key"] is Use.DIM
    assert uses(presets.load("impact"))["State"] is Use.DIM
