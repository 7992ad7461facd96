from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from checks.hub.pricing import Pricing, independent
from checks.hub.sharing import Move, Stake
from checks.revenue.alarm import Alarm
from data.model.cause import cause
from data.model.ids import FindingId, IncidentId, PartnerId, TargetId, TeamId
from data.model.incident import Finding, Incident, IncidentState, Severity
from data.model.money import ZERO, Loss, cents
from data.model.target import Target, TargetKind, kind_of

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
AURORA = TeamId("aurora")


class HundredAnHour:
    """A book in which every slice loses 100 an hour; a price is right within 30."""

    def __init__(self):
        self.asked = []
        self.without = []

    def loss_of(self, slices, start, now, *, basis, without, guests):
        self.guests = [(dict(place), one.start, one.end) for one in guests for place in one.slices]
        self.asked.append(([dict(one) for one in slices], basis))
        self.without.append([dict(place) for one in without for place in one.slices])
        lost = cents(100 * len(slices) * Decimal((now - start).total_seconds() / 3600))
        rate = cents(100 * len(slices))
        return Loss(lost, lost - 30, lost + 30, rate, rate - 30, rate + 30)

    def expected_per_hour(self, slice_, now):
        return 75.0


TARGETS = {
    TargetId("site:kiel"): Target(TargetId("site:kiel"), TargetKind.SITE, AURORA, "kiel"),
    TargetId("site:oslo"): Target(TargetId("site:oslo"), TargetKind.SITE, AURORA, "oslo"),
    TargetId("link:l1"): Target(
        TargetId("link:l1"),
        TargetKind.LINK,
        AURORA,
        "l1",
        "https://go.aurora.example:8443/x",
        site="kiel",
        partner=PartnerId("P02"),
        geo="DE",
    ),
    TargetId("feed:p10"): Target(TargetId("feed:p10"), TargetKind.FEED, AURORA, "p10", partner=PartnerId("P10")),
    TargetId("parser:serp"): Target(TargetId("parser:serp"), TargetKind.PARSER, AURORA, "serp"),
}


def finding(
    target: str,
    because: str,
    *,
    hours_ago: float = 2.0,
    closed_hours_ago: float | None = None,
    blame: str = "",
    **labels: str,
) -> Finding:
    opened = NOON - timedelta(hours=hours_ago)
    closed = None if closed_hours_ago is None else NOON - timedelta(hours=closed_hours_ago)
    target_id = TargetId(target)
    return Finding(
        FindingId(f"{target}@{opened.isoformat()}"), target_id, AURORA, kind_of(target_id), cause(because), opened, opened,
        closed_at=closed, blame=blame, fingerprint=labels,
    )  # fmt: skip


def incident_of(number: int, because: str) -> Incident:
    return Incident(
        IncidentId(number), AURORA, (AURORA,), cause(because), Severity.SEV2, IncidentState.NEW, "", "", "", "", NOON, NOON
    )  # fmt: skip


def price(because: str, *findings: Finding):
    book = HundredAnHour()
    priced = Pricing(book, TARGETS.get, lambda: "EUR").price(incident_of(1, because), findings, NOON)
    return priced.loss, priced.shares, book.asked


def test_a_dead_site_is_priced_by_the_calendar_because_its_clicks_vanish_with_it():
    loss, shares, asked = price("tcp.refused", finding("site:kiel", "tcp.refused"))
    assert asked == [([{"site": "kiel"}], "calendar")]
    assert (loss.lost, loss.per_hour) == (cents(200), cents(100))
    assert shares == {TargetId("site:kiel"): cents(100)}


def test_a_page_whose_links_lost_their_tag_is_priced_by_the_clicks_of_their_partner():
    _, _, asked = price("link.param_lost", finding("site:kiel", "link.param_lost", partner="P01"))
    assert asked == [([{"partner": "P01", "site": "kiel"}], "clicks")]


@pytest.mark.parametrize("because", ["seo.noindex", "slow.total", "tls.expiring"])
def test_a_site_that_works_costs_nothing_today(because):
    loss, _, asked = price(because, finding("site:kiel", because))
    assert (loss.lost, asked) == (0, [])


def test_a_dead_link_is_priced_given_the_clicks_that_go_on():
    _, _, asked = price("link.inactive", finding("link:l1", "link.inactive"))
    assert asked == [([{"partner": "P02", "geo": "DE", "site": "kiel"}], "clicks")]


def test_a_link_whose_own_redirector_is_dead_counts_no_clicks_and_is_priced_by_the_calendar():
    _, _, asked = price("tls.expired", finding("link:l1", "tls.expired", blame="go.aurora.example"))
    assert [basis for _, basis in asked] == ["calendar"]
    _, _, asked = price("tls.expired", finding("link:l1", "tls.expired", blame="www.partner.example"))
    assert [basis for _, basis in asked] == ["clicks"]


def test_members_that_fell_together_are_priced_as_one_union_and_share_it():
    loss, shares, asked = price("edge.error", finding("site:kiel", "edge.error"), finding("site:oslo", "edge.error"))
    assert asked == [([{"site": "kiel"}, {"site": "oslo"}], "calendar")]
    assert (loss.lost, loss.per_hour) == (cents(400), cents(200))
    assert shares == {TargetId("site:kiel"): cents(100), TargetId("site:oslo"): cents(100)}


def test_members_that_fell_apart_add_up_and_their_interval_grows_with_the_root():
    loss, _, _ = price(
        "edge.error", finding("site:kiel", "edge.error"), finding("site:oslo", "edge.error", hours_ago=1.0)
    )
    assert loss.lost == cents(300)
    assert loss.lost_lo == cents(Decimal("257.57"))
    assert loss.lost_hi == cents(Decimal("342.43"))


def test_a_slice_counts_what_is_missing_beside_the_dead_links_inside_it():
    book = HundredAnHour()
    known = incident_of(1, "link.inactive")
    findings = [finding("slice:partner=P02", "revenue.silence"), finding("link:l1", "link.inactive")]
    priced = Pricing(book, TARGETS.get, lambda: "EUR").price(known, findings, NOON)
    link = {"partner": "P02", "geo": "DE", "site": "kiel"}
    assert book.asked == [([link], "clicks"), ([{"partner": "P02"}], "counts")]
    assert priced.loss.lost == cents(400)


def alarm(lost: float, updated_h_ago: float = 0.5) -> Alarm:
    since = NOON - timedelta(hours=9)
    return Alarm(
        "r2026010503-1", "ftd", cause("revenue.drop"), {"partner": "P02"}, AURORA, since, NOON - timedelta(hours=updated_h_ago),
        since, None, "open", 20.0, 3.0, 30.0, Loss(cents(lost), cents(lost / 2), cents(lost * 2), cents(lost / 9)),
    )  # fmt: skip


def test_an_open_alarm_has_its_own_price():
    book, known = HundredAnHour(), incident_of(1, "revenue.drop")
    pricing = Pricing(book, TARGETS.get, lambda: "EUR", alarm=lambda _: alarm(360.0))
    priced = pricing.price(known, [finding("slice:partner=P02", "revenue.drop")], NOON)
    assert (priced.loss.lost, priced.loss.per_hour, book.asked) == (cents(360), cents(40), [])


@pytest.mark.parametrize(("closed_hours_ago", "updated_h_ago"), [(1.0, 0.5), (None, -0.5)])
def test_an_alarm_that_is_over_or_younger_than_the_moment_asked_for_is_counted_anew(closed_hours_ago, updated_h_ago):
    book, known = HundredAnHour(), incident_of(1, "revenue.drop")
    pricing = Pricing(book, TARGETS.get, lambda: "EUR", alarm=lambda _: alarm(360.0, updated_h_ago))
    pricing.price(known, [finding("slice:partner=P02", "revenue.drop", closed_hours_ago=closed_hours_ago)], NOON)
    assert book.asked == [([{"partner": "P02"}], "counts")]


def test_a_loss_two_incidents_share_is_counted_in_one_and_the_other_says_where():
    book = HundredAnHour()
    pricing = Pricing(book, TARGETS.get, lambda: "EUR")
    rows = [
        (incident_of(408, "link.inactive"), [finding("link:l1", "link.inactive")]),
        (incident_of(409, "tcp.refused"), [finding("site:kiel", "tcp.refused")]),
    ]
    taken = pricing.share_out(rows)
    link, site = (pricing.price(known, findings, NOON, taken.get(known.id, ())) for known, findings in rows)
    assert book.without == [[{"site": "kiel"}], []]
    assert (link.counted_in, site.counted_in) == (409, None)


def test_what_nobody_sees_is_shared_with_nobody():
    rows = [
        (incident_of(1, "feed.auth"), [finding("feed:p10", "feed.auth")]),
        (incident_of(2, "link.inactive"), [finding("link:l1", "link.inactive")]),
    ]
    assert Pricing(HundredAnHour(), TARGETS.get, lambda: "EUR").share_out(rows) == {}


def test_players_without_a_tag_can_partly_be_claimed():
    loss, _, _ = price("link.param_lost", finding("site:kiel", "link.param_lost", partner="P01"))
    assert (loss.lost, loss.recoverable) == (cents(200), cents(100))


@pytest.mark.parametrize("because", ["link.inactive", "tcp.refused", "revenue.silence"])
def test_players_who_never_came_cannot_be_claimed(because):
    target = {"link": "link:l1", "tcp": "site:kiel", "revenue": "slice:partner=P02"}[because.partition(".")[0]]
    loss, _, _ = price(because, finding(target, because))
    assert (loss.lost > 0, loss.recoverable) == (True, ZERO)


def test_what_postbacks_did_not_tell_is_unseen_and_can_be_asked_for_again():
    loss, _, asked = price("postback.silent", finding("feed:p10", "postback.silent"))
    assert not asked
    assert (loss.lost, loss.unseen, loss.recoverable) == (ZERO, cents(150), cents(150))


def test_what_a_partner_took_back_can_be_disputed():
    pricing = Pricing(HundredAnHour(), TARGETS.get, lambda: "EUR", disputed=lambda _: cents(752))
    priced = pricing.price(incident_of(1, "feed.restated"), [finding("feed:p10", "feed.restated")], NOON)
    assert (priced.loss.lost, priced.loss.recoverable) == (ZERO, cents(752))


def test_a_blind_feed_loses_nothing_and_says_what_is_unseen():
    loss, _, asked = price("feed.auth", finding("feed:p10", "feed.auth"))
    assert not asked
    assert (loss.lost, loss.unseen, loss.unseen_per_hour) == (ZERO, cents(150), cents(75))


def test_no_money_hangs_on_a_parser():
    loss, _, _ = price("parser.field_dead", finding("parser:serp", "parser.field_dead"))
    assert loss == Loss(currency="EUR") or loss.lost == ZERO


def test_a_member_that_recovered_keeps_its_loss_and_adds_nothing_per_hour():
    loss, shares, _ = price(
        "edge.error", finding("site:kiel", "edge.error", closed_hours_ago=1.0), finding("site:oslo", "edge.error")
    )
    assert (loss.lost, loss.per_hour) == (cents(300), cents(100))
    assert list(shares) == [TargetId("site:oslo")]


def test_two_findings_of_one_slice_that_overlap_are_one_stake():
    def stake(start_h: float, end_h: float) -> Stake:
        start, end = NOON - timedelta(hours=start_h), NOON - timedelta(hours=end_h)
        return Stake((("site", "kiel"),), "calendar", start, end, TargetId("site:kiel"))

    assert [(one.start, one.end) for one in independent([stake(3, 1), stake(2, 0)])] == [
        (NOON - timedelta(hours=3), NOON)
    ]
    assert len(independent([stake(3, 2), stake(1, 0)])) == 2


def moved_pricing(where, since_h_ago, until_h_ago=None):
    """A price of an incident for which a plan sent visitors elsewhere."""
    until = None if until_h_ago is None else NOON - timedelta(hours=until_h_ago)
    move = Move(where, NOON - timedelta(hours=since_h_ago), until)
    book = HundredAnHour()
    return Pricing(book, TARGETS.get, lambda: "EUR", moves=lambda number: (move,) if number == 1 else ())


def test_the_clock_stops_when_a_plan_sends_the_visitors_elsewhere():
    dead = finding("link:l1", "link.inactive", hours_ago=2.0)
    priced = moved_pricing({"partner": "P02"}, 1.5).price(incident_of(1, "link.inactive"), [dead], NOON)
    assert (priced.loss.lost, priced.loss.per_hour, priced.shares) == (cents(50), ZERO, {})


def test_it_runs_again_when_the_plan_is_taken_back_before_the_link_is_well():
    dead = finding("link:l1", "link.inactive", hours_ago=2.0)
    priced = moved_pricing({"partner": "P02"}, 1.5, 0.5).price(incident_of(1, "link.inactive"), [dead], NOON)
    assert (priced.loss.lost, priced.loss.per_hour) == (cents(100), cents(100))


@pytest.mark.parametrize("where", [{"partner": "P03"}, {"team": "baltic"}, {"partner": "P02", "geo": "AT"}])
def test_what_a_plan_does_not_reach_goes_on_costing(where):
    dead = finding("link:l1", "link.inactive", hours_ago=2.0)
    priced = moved_pricing(where, 1.5).price(incident_of(1, "link.inactive"), [dead], NOON)
    assert (priced.loss.lost, priced.loss.per_hour) == (cents(200), cents(100))


def test_the_plan_of_one_incident_does_not_stop_the_clock_of_another():
    dead = finding("link:l1", "link.inactive", hours_ago=2.0)
    priced = moved_pricing({}, 1.5).price(incident_of(2, "link.inactive"), [dead], NOON)
    assert priced.loss.per_hour == cents(100)


def test_guests_of_a_partner_are_spared_by_a_page_that_spoils_its_links_and_not_by_the_partner():
    there, ago = {"partner": "P02"}, [NOON - timedelta(hours=hours) for hours in range(4)]
    guests = (Move(there, ago[3], ago[1]), Move(there, ago[1], None), Move(there, NOON, None))
    pricing = Pricing(book := HundredAnHour(), TARGETS.get, lambda: "EUR", guests=lambda: guests)
    untagged = finding("site:kiel", "link.param_lost", partner="P02")
    pricing.price(incident_of(1, "link.param_lost"), [untagged], NOON)
    assert book.guests == [(there, ago[3], ago[1]), (there, ago[1], NOON)]
    pricing.price(incident_of(1, "link.inactive"), [finding("link:l1", "link.inactive")], NOON)
    assert book.guests == []


def test_before_the_plan_was_used_the_clock_ran_also_as_seen_from_today():
    dead = finding("link:l1", "link.inactive", hours_ago=2.0)
    pricing, then = moved_pricing({}, 1.0, 0.5), [NOON - timedelta(hours=ago) for ago in (1.5, 0.75)]
    rates = [pricing.price(incident_of(1, "link.inactive"), [dead], at).loss.per_hour for at in then]
    assert rates == [cents(100), ZERO]
