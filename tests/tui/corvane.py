"""Corvane Media as a hub would show it: one quiet morning and one with a burning edge provider. All names invented."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from data.model.cause import cause
from data.model.health import HubHealth
from data.model.ids import CauseId, IncidentId, TargetId, TeamId
from data.model.incident import Incident, IncidentState, Severity, TimelineEntry
from data.model.money import NO_LOSS, Loss, cents
from data.model.observation import NO_CAUSE, Flip, Hop, Observation, Timing
from data.model.parser_view import CandidateRow, DiffLine, FieldRow, HourCount, RunRow, VolatilityRow
from data.model.snapshot import (
    Aspect,
    BandPoint,
    ChangeRow,
    IncidentDetail,
    LogLine,
    Pane,
    PlanRow,
    Snapshot,
    StateCount,
    Statement,
    TargetDetail,
    TargetRow,
    UpstreamRow,
)
from data.model.state import State
from data.model.target import TargetKind, target_id

NOW = datetime(2026, 11, 17, 11, 34, 7, tzinfo=UTC)


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def strip(ok: int = 0, bad: int = 0, code: str = "f", of: int = 60) -> str:
    """`bad` buckets of `code` at the end of `of`."""
    return ("o" * (of - bad))[: of - bad] + code * bad


def row(
    kind: TargetKind, name: str, team: str, state: State = State.OK, cause_name: str = "", detail: str = "",
    minutes: float = 9 * 1440, *, incident: int | None = None, lost: float | None = None, pattern: str = "", **more: object,
) -> TargetRow:  # fmt: skip
    return TargetRow(
        target_id(kind, name), kind, TeamId(team), name, state, CauseId(cause_name), detail, ago(minutes), ago(0.4),
        strip=pattern or strip(), loss_per_hour=None if lost is None else cents(lost),
        incident=None if incident is None else IncidentId(incident), **more,  # type: ignore[arg-type]  # fields by name
    )  # fmt: skip


F, D, U, OK = State.FAILING, State.DEGRADED, State.UNKNOWN, State.OK
SITE, LINK, PARSER, FEED, SLICE = TargetKind.SITE, TargetKind.LINK, TargetKind.PARSER, TargetKind.FEED, TargetKind.SLICE

SITES = (
    row(SITE, "aurora-001", "aurora", F, "edge.error", "503 at the edge", 14, incident=412, lost=142.6, pattern=strip(bad=14), p50_ms=38, p95_ms=2140, uptime=0.9903, geo="DE", tier=1),
    row(SITE, "aurora-004", "aurora", F, "edge.error", "503 at the edge", 14, incident=412, lost=118.2, pattern=strip(bad=14), p50_ms=41, p95_ms=1990, uptime=0.9901, geo="FI", tier=1),
    row(SITE, "cedar-017", "cedar", F, "edge.error", "503 at the edge", 13, incident=412, lost=61.9, pattern=strip(bad=13), p50_ms=52, p95_ms=2310, uptime=0.9899, geo="BR", tier=1),
    row(SITE, "delta-102", "delta", D, "slow.total", "p95 2.9 s", 31, pattern=strip(bad=31, code="d"), p50_ms=640, p95_ms=2920, uptime=0.9997, geo="UK", tier=2),
    row(SITE, "baltic-033", "baltic", U, "edge.challenge", "challenge shown to our probe", 41, pattern=strip(bad=41, code="u"), uptime=0.9990, geo="PL", tier=2),
    row(SITE, "aurora-002", "aurora", p50_ms=44, p95_ms=212, uptime=1.0, geo="AT", tier=1),
    row(SITE, "aurora-003", "aurora", p50_ms=47, p95_ms=238, uptime=1.0, geo="NO", tier=1),
)  # fmt: skip
LINKS = (
    row(LINK, "p05-drakkenspin-de", "aurora", F, "geo.blocked", "451 in DE, fine elsewhere", 184, incident=409, lost=60.4, pattern=strip(bad=60), p95_ms=310, uptime=0.87, geo="DE", partner="P05", offer="welcome", site="aurora-001"),
    row(LINK, "p09-nimbusroll-on", "cedar", p95_ms=402, uptime=1.0, geo="CA", partner="P09", offer="slots", site="cedar-017"),
)  # fmt: skip
PARSERS = (
    row(PARSER, "serp-casino-de", "aurora", F, "parser.field_dead", "title: 0 of 32 filled", 4, incident=414, pattern=strip(of=48, bad=1), value=32, expected=10, geo="DE", trend=(10, 10, 11, 10, 10, 10, 10, 32)),
    row(PARSER, "serp-casino-fi", "aurora", pattern=strip(of=48), value=10, expected=10, geo="FI", trend=(10, 10, 9, 10, 10, 10, 11, 10)),
    row(PARSER, "serp-bet-pl", "baltic", pattern=strip(of=48), value=11, expected=11, geo="PL", trend=(11, 11, 11, 10, 11, 11, 11, 11)),
)  # fmt: skip
FEEDS = (
    row(FEED, "p06-zefirion", "cedar", F, "feed.scale", "× 100 on commission", 139, incident=410, pattern=strip(of=48, bad=3), value=214, partner="P06", p95_ms=188, uptime=0.94),
    row(FEED, "p10-ambervolt", "delta", F, "feed.auth", "401 token_expired", 24, incident=413, pattern=strip(of=48, bad=2), partner="P10", p95_ms=92, uptime=0.96),
    row(FEED, "p01-quillspin", "aurora", pattern=strip(of=48), value=402, partner="P01", p95_ms=121, uptime=1.0),
    row(FEED, "p04-saltwick", "delta", U, "feed.late", "", 334, pattern=strip(of=48, bad=20, code="u"), partner="P04", p95_ms=240, uptime=1.0),
)  # fmt: skip


def wave(base: float, drop: float = 1.0, after: int = 40, n: int = 48) -> tuple[float, ...]:
    return tuple(base * (1 + 0.35 * math.sin(at / 7.6)) * (drop if at >= after else 1.0) for at in range(n))


SLICES = (
    row(SLICE, "P05 DE", "aurora", F, "revenue.silence", "0 of 1.9 FTD/h", 170, incident=409, lost=60.4, value=0.0, expected=60.4, trend=wave(60, 0.0), partner="P05", geo="DE"),
    row(SLICE, "P02", "aurora", F, "revenue.drop", "−58 %", 31, incident=412, lost=128.9, value=92.8, expected=221.7, trend=wave(220, 0.42, 43), partner="P02"),
    row(SLICE, "P07", "cedar", value=178.8, expected=171.2, trend=wave(175), partner="P07"),
    row(SLICE, "P03", "baltic", value=252.0, expected=249.3, trend=wave(250), partner="P03"),
)  # fmt: skip


def loss(per_hour: float, lost: float, spread: float = 0.16, **more: float) -> Loss:
    return Loss(
        cents(lost), cents(lost * (1 - spread)), cents(lost * (1 + spread)), cents(per_hour), cents(per_hour * (1 - spread)),
        cents(per_hour * (1 + spread)), **{name: cents(value) for name, value in more.items()},
    )  # fmt: skip


def incident(
    number: int, cause_name: str, title: str, where: str, minutes: float, money: Loss, severity: Severity, *,
    teams: tuple[str, ...] = ("aurora",), state: IncidentState = IncidentState.NEW, by: str = "", members: int = 1, still: int = 1,
    blame: str = "", reason: str = "", owner: str = "developer on call",
) -> Incident:  # fmt: skip
    return Incident(
        IncidentId(number), TeamId(teams[0] if len(teams) == 1 else "*"), tuple(map(TeamId, teams)), cause(cause_name), severity, state,
        title, where, blame, owner, ago(minutes), ago(minutes - 1), members, still, reason, money, ago(minutes - 5) if by else None, by,
    )  # fmt: skip


INCIDENTS = (
    incident(412, "edge.error", "edge provider answers 503 on 448 sites", "Halyard Edge", 14, loss(412.6, 96.3), Severity.SEV1, teams=("aurora", "baltic", "cedar", "delta"), members=448, still=441, blame="Halyard Edge", reason="All answer through Halyard Edge; no site outside it fails."),
    incident(409, "geo.blocked", "blocked in DE for legal reasons", "P05 Drakkenspin DE", 184, loss(60.4, 181.2), Severity.SEV2, state=IncidentState.ACKNOWLEDGED, by="maria", members=14, still=14, blame="P05", reason="14 links of one partner fail from DE only.", owner="affiliate manager"),
    incident(414, "parser.field_dead", "title comes back empty on 32 blocks", "serp-casino-de", 4, NO_LOSS, Severity.SEV4, members=6, still=6, reason="Six parsers of one engine changed in one run."),
    incident(410, "feed.scale", "commission is 100 times as large", "P06 Zefirion", 139, NO_LOSS, Severity.SEV3, teams=("cedar",), blame="P06", reason="Rows quarantined; earlier figures stand."),
    incident(413, "feed.auth", "access refused: 401 token_expired", "P10 Ambervolt", 24, loss(0, 0, unseen=30.0, unseen_per_hour=75.1), Severity.SEV4, teams=("delta",), blame="P10", reason="No data since the token ended."),
)  # fmt: skip

LOG = (
    LogLine(ago(139), "feed", "p06-zefirion", "214 rows quarantined: commission × 100"),
    LogLine(ago(41), "site", "baltic-033", "challenge shown to our probe, unknown from here"),
    LogLine(ago(14), "incident", "#412", "opened: edge provider answers 503 on 448 sites"),
    LogLine(ago(4), "parser", "serp-casino-de", "32 items, title empty, 1st run"),
    LogLine(ago(0.2), "site", "aurora-001", "503 in 38 ms (7th in a row)"),
)

BURNING = Snapshot(
    7, NOW, "Corvane Media", speed=1.0,
    sites=Pane(SITE, StateCount(441, 3, 2, 730, 4), SITES), links=Pane(LINK, StateCount(14, 0, 3, 803, 0), LINKS),
    parsers=Pane(PARSER, StateCount(6, 0, 0, 18, 0), PARSERS, "24 h"), feeds=Pane(FEED, StateCount(2, 0, 1, 8, 0), FEEDS, "24 h"),
    slices=Pane(SLICE, StateCount(2, 0, 0, 41, 0), SLICES, "24 h"), incidents=INCIDENTS, log=LOG,
    loss_per_hour=Decimal("473.00"), lost_today=Decimal("1284.10"), waiting=("waiting for P04 since 06:00Z",),
)  # fmt: skip


def _healthy_row(one: TargetRow) -> TargetRow:
    return replace(
        one, state=OK, cause=NO_CAUSE, detail="", since=ago(9 * 1440), strip="o" * len(one.strip), loss_per_hour=None, incident=None,
        value=one.expected if one.kind in {PARSER, SLICE} else one.value or 120, p95_ms=one.p95_ms and min(one.p95_ms, 260), trend=wave(60),
    )  # fmt: skip


def _calm(pane: Pane) -> Pane:
    return replace(pane, counts=StateCount(ok=pane.counts.total), rows=tuple(map(_healthy_row, pane.rows)))


HEALTHY = replace(
    BURNING, version=3, sites=_calm(BURNING.sites), links=_calm(BURNING.links), parsers=_calm(BURNING.parsers), feeds=_calm(BURNING.feeds),
    slices=_calm(BURNING.slices), incidents=(), log=LOG[:1], loss_per_hour=Decimal(0), lost_today=Decimal(0), waiting=(),
)  # fmt: skip
EMPTY = Snapshot(1, NOW, "Corvane Media")
HIDDEN = replace(
    BURNING, loss_per_hour=None, lost_today=None, incidents=tuple(replace(one, loss=Loss(currency="")) for one in INCIDENTS),
    **{name: replace(getattr(BURNING, name), rows=tuple(replace(one, loss_per_hour=None) for one in getattr(BURNING, name).rows)) for name in ("sites", "links", "feeds", "slices")},
)  # fmt: skip
SICK = replace(
    BURNING,
    speed=90.0,
    health=HubHealth(D, "31 checks started late in the last hour", late=31, missing_secrets=("ambervolt-token",)),
)

HOSTILE_NAMES = (
    "\x1b[2J\x1b]52;c;aGFja2Vk\x07evil",
    "[red]not markup[/red] [link=x]y[/]",
    "娯楽カジノ日本語サイト",
    "party 🎉🎰👨‍👩‍👧 site",
    "\u202egnp.exe\u202c קזינו",
    "long-" + "x" * 4000,
    "",
    "tab\there\nnewline",
)
"""What a website may call itself, straight into a store that failed to clean it."""
HOSTILE = replace(
    BURNING, company=HOSTILE_NAMES[1],
    sites=replace(BURNING.sites, rows=tuple(replace(SITES[0], name=name, target=TargetId(f"site:{at}"), detail=name) for at, name in enumerate(HOSTILE_NAMES))),
    incidents=tuple(replace(INCIDENTS[0], id=IncidentId(500 + at), where=name, title=name, blame=name, reason=name) for at, name in enumerate(HOSTILE_NAMES)),
    log=tuple(LogLine(NOW, "site", name, name) for name in HOSTILE_NAMES),
)  # fmt: skip

CHAIN = (
    Hop(
        "https://go.aurora.example/p05/de",
        "198.51.100.7",
        302,
        24,
        "https://t.drakkenspin.example/c?tag=a1",
        61.0,
        issuer="R3",
    ),
    Hop(
        "https://t.drakkenspin.example/c?tag=a1",
        "198.51.100.40",
        302,
        88,
        "https://www.drakkenspin.example/de/welcome",
        12.0,
        issuer="WE1",
        params="cuts tag from 32 to 16 characters",
    ),
    Hop(
        "https://www.drakkenspin.example/de/welcome?tag=a1",
        "203.0.113.9",
        451,
        61,
        "",
        44.0,
        cause("geo.blocked"),
        "Halyard Edge",
        "R11",
        client_side=True,
    ),
)


ASPECTS = (
    Aspect("DNS", OK, "198.51.100.7", "an address", ago(0.4)),
    Aspect("TLS", OK, "44 d left", "> 21 d", ago(0.4)),
    Aspect("GET /de/welcome", F, "451", "2xx", ago(0.4), 7),
    Aspect("final host", OK, "www.drakkenspin.example", "drakkenspin.example", ago(0.4)),
    Aspect("keeps tag", U, "", "reaches the end", ago(0.4)),
    Aspect("text “18+”", U, "", "present", ago(0.4)),
    Aspect("speed", OK, "173 ms", "< 2,000 ms", ago(0.4)),
)
BEFORE = (
    LogLine(ago(31), "person", "maria", "configuration applied: 3 links changed"),
    LogLine(ago(14), "site", "aurora-004", "edge provider answers errors"),
    LogLine(ago(12), "link", "p05-drakkenspin-at", "ok again"),
)


def band(
    n: int = 60, *, base: float = 120, drop_at: int | None = None, drop: float = 0.0, minutes: float = 5
) -> tuple[BandPoint, ...]:
    points = []
    for at in range(n):
        expected = base * (1 + 0.4 * math.sin(at / n * 5))
        actual = expected * (1 + 0.08 * math.sin(at * 2.3))
        if drop_at is not None and at >= drop_at:
            actual *= drop
        points.append(BandPoint(ago((n - at) * minutes), expected, expected * 0.82, expected * 1.2, actual))
    return tuple(points)


def observation(one: TargetRow, minutes: float, *, ok: bool = False) -> Observation:
    state = OK if ok else one.state
    return Observation(
        one.target, one.team, one.kind, ago(minutes), state, NO_CAUSE if ok else one.cause, "" if ok else one.detail, total_ms=38 + minutes,
        timing=Timing(2, 9, 14, 38, 41),
    )  # fmt: skip


DIFF = tuple(
    DiffLine(kind, was, now, text)
    for kind, was, now, text in (
        (" ", 1, 1, '<div id="search">'), (" ", 2, 2, '  <div class="g">'), ("-", 3, None, '    <h3 class="title">'),
        ("-", 4, None, '      <a href="https://aurora-001.example/">Best casino bonuses</a>'), ("-", 5, None, "    </h3>"),
        ("+", None, 3, '    <div class="yuRUbf" data-testid="result-title">'), ("+", None, 4, '      <a href="https://aurora-001.example/">'),
        ("+", None, 5, "        <span>Best casino bonuses</span>"), ("+", None, 6, "      </a>"), ("+", None, 7, "    </div>"),
        (" ", 6, 8, '    <p class="snippet">We opened an account, paid in, and …</p>'), ("-", 7, None, '    <cite class="u">aurora-001.example</cite>'),
        ("+", None, 9, '    <cite role="text">aurora-001.example › bonuses</cite>'), (" ", 8, 10, "  </div>"),
    )
)  # fmt: skip
CANDIDATES = (
    CandidateRow(
        "title", "[data-testid=result-title] > a > span", 32, 1.0, 30, 30, 6, 6, verified=True, source="values"
    ),
    CandidateRow("title", ".yuRUbf span", 34, 1.0, 30, 30, 5, 6, verified=False, source="cluster"),
    CandidateRow("title", "#search a", 71, 1.0, 21, 30, 3, 6, verified=False, source="similarity"),
)
VOLATILE = (
    VolatilityRow("results at 11:00", "32", "10, 10-12", "more than ever at this hour"),
    VolatilityRow("people also ask", "seen", "in 61% of runs", "comes and goes"),
    VolatilityRow("video box", "", "in 8% of runs", "not seen since 10 Nov"),
    VolatilityRow("position churn", "18%", "15%, 9-24%", "as usual"),
)


def parser_runs(one: TargetRow) -> tuple[RunRow, ...]:
    """Sixteen runs, the last one failing where the parser does."""
    bad = one.state is not OK
    return tuple(
        RunRow(ago(4 + 15 * (15 - at)), F if bad and at == 15 else OK, 32 if bad and at == 15 else 10 + (at * 7) % 3,
               0.0 if bad and at == 15 else 0.99, 78_400 if bad and at == 15 else 81_000 + at * 90, "f3" if bad and at == 15 else "f1")
        for at in range(16)
    )  # fmt: skip


def by_hour() -> tuple[HourCount, ...]:
    """Ten to twelve results by night and morning, thirty and more in the evening."""
    usual = [10.0 if hour < 16 else 31.0 if hour < 23 else 14.0 for hour in range(24)]
    return tuple(
        HourCount(hour, 28, count, count - (2 if count < 20 else 6), count + (4 if count < 20 else 6), 32 if hour == 11 else None if hour == 12 else count + hour % 3)
        for hour, count in enumerate(usual)
    )  # fmt: skip


def of_parser(one: TargetRow, whole: TargetDetail) -> TargetDetail:
    """What only a parser's detail has."""
    whole = replace(
        whole,
        check=(*whole.check, ("spec", "parsers/serp.toml")),
        runs=parser_runs(one),
        by_hour=by_hour(),
        volatility=VOLATILE,
    )
    if one.state is OK:
        return replace(whole, fields=tuple(replace(field, state="ok", fill=field.usual_fill) for field in whole.fields))
    return replace(whole, diff=DIFF, candidates=CANDIDATES, good_at=ago(19), bad_at=ago(4))


def detail(one: TargetRow) -> TargetDetail:
    """A full detail of any row."""
    bad = one.state is not OK
    whole = TargetDetail(
        7, one, "" if one.kind is SLICE else f"https://{one.name}.example/",
        (("interval", "2 m"), ("timeout", "10 s"), ("status", "any 2xx"), ("text", "“18+”")), one.strip, "o" * 46 + "df", "o" * 84 + "dooooo",
        CHAIN if one.kind in {SITE, LINK} else (), tuple(observation(one, at * 2.0, ok=at > 7) for at in range(14)),
        (Flip(one.target, one.team, ago(14), OK, one.state, one.cause, "second resolver and second vantage agree"),) if bad else (),
        (FieldRow("title", "dead", 0.0, 0.998, "h3.title > a"), FieldRow("url", "ok", 1.0, 1.0, "h3.title > a @href"), FieldRow("position", "ok", 1.0, 1.0, "")) if one.kind is PARSER else (),
        (ChangeRow("breaking", "scale-changed", "$.rows[*].commission", "28.26", "2826", 214, ago(139), ago(4)),
         ChangeRow("harmless", "response-property-added", "$.rows[*].brand_id", "", "17", 214, ago(2000), ago(4), ago(300))) if one.kind is FEED else (),
        band(drop_at=50 if bad else None, drop=0.1 if one.kind in {SLICE, PARSER} else 6.0), {PARSER: "items", SLICE: "money"}.get(one.kind, "ms"),
        ("this alarm can fire after 4.4 h here",) if one.kind is SLICE else (), tuple(i for i in INCIDENTS if i.id == one.incident),
        ASPECTS if one.kind in {SITE, LINK} else (), BEFORE if bad and one.kind in {SITE, LINK} else (),
        tuple(r for r in SITES if r.incident == one.incident and r is not one) if one.incident else (),
    )  # fmt: skip
    return of_parser(one, whole) if one.kind is PARSER else whole


def incident_detail(one: Incident) -> IncidentDetail:
    members = tuple(r for r in (*SITES, *LINKS, *PARSERS, *FEEDS, *SLICES) if r.incident == one.id)
    return IncidentDetail(
        7, one,
        (Statement("fact", "441 of 448 sites behind Halyard Edge answer 503 since 11:20:04Z; each failed twice."),
         Statement("fact", "732 sites outside it answer as usual; our own network and resolver are fine."),
         Statement("guess", "the provider itself fails: three of its own addresses answer 503 for any host (likely)."),
         Statement("unknown", "whether its control panel can be reached to move DNS.")),
        (TimelineEntry(one.id, ago(14), "losswatch", "First failing check: aurora-004, 503 at the edge."),
         TimelineEntry(one.id, ago(12), "losswatch", "Opened with 212 sites in three teams."),
         TimelineEntry(one.id, ago(12), "losswatch", "told devs: jan on pager, ops that it began"),
         TimelineEntry(one.id, ago(11), "losswatch", "could not tell client-desk that it began: answered 503"),
         TimelineEntry(one.id, ago(9), "maria", "called the provider, ticket is open")),
        members, band(48, base=820, drop_at=44, drop=0.5, minutes=15),
        (PlanRow("A", "wait with a status note", None), PlanRow("B", "move DNS to the second edge, prepared outside that provider", cents(288)),
         PlanRow("C", "route only money pages via our own redirector", cents(190))),
        (UpstreamRow("edge provider", "Halyard Edge", 448, 441, 7, chosen=True), UpstreamRow("network", "198.51.100.0/24", 731, 212, 519),
         UpstreamRow("issuer", "R11", 1020, 302, 718)) if one.members > 400 else (),
    )  # fmt: skip


ROWS = {one.target: one for one in (*SITES, *LINKS, *PARSERS, *FEEDS, *SLICES)}
