from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.feeds.contract import Contract, profile
from checks.feeds.deprecation import announced
from checks.feeds.drift import BREAKING, HARMLESS, RISKY, Use, changes
from checks.feeds.pairs import guess_key, join

from .conftest import CALM

AT = datetime(2026, 11, 1, tzinfo=UTC)
USES = {"day": Use.DAY, "site": Use.DIM, "clicks": Use.COUNT, "commission": Use.MONEY}


def payload(seed: int, n: int = 60, **changed):
    """A plausible report; numbers vary from payload to payload, its shape does not."""
    dice = random.Random(seed)
    return [
        {
            "id": f"{seed}-{k}", "day": f"2026-11-{1 + k % 28:02}", "at": f"2026-11-{1 + k % 28:02}T{k % 24:02}:00:00Z",
            "site": f"s{k}", "status": dice.choice(["open", "final"]), "clicks": dice.randint(20, 900),
            "commission": round(dice.lognormvariate(4, 1), 2), "note": dice.choice([None, "x"]), **changed,
        }
        for k in range(n)
    ]  # fmt: skip


def past(count: int = 6, **changed) -> Contract:
    whole = Contract()
    for seed in range(count):
        whole = whole.learn(profile(payload(seed, **changed), payload=str(seed), at=AT + timedelta(days=seed)))
    return whole


def seen(records, before=None, uses=None, pairs=None, **more):
    now = profile(records, payload="now", at=AT + timedelta(days=99), **more)
    return changes(before if before is not None else past(), now, uses, pairs)


def kinds(found):
    return [(change.kind, change.path, change.severity) for change in found]


def each(records, **changed):
    return [row | {name: change(row) for name, change in changed.items()} for row in records]


@pytest.mark.parametrize("seed", range(100, 130))
def test_another_ordinary_payload_is_silent(seed):
    assert seen(payload(seed)) == ()


@CALM
@given(st.integers(1000, 10**6), st.integers(21, 200), st.floats(0.3, 3))
def test_volume_and_level_may_move_within_a_factor_of_three(seed, n, factor):
    records = each(payload(seed, n), commission=lambda row: round(row["commission"] * factor, 2))
    assert not [change for change in seen(records) if change.kind != "paging-truncated"]


def test_nothing_is_claimed_without_a_history():
    assert seen(payload(1), Contract()) == ()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"commission": lambda r: r["commission"] * 100}, ("scale-changed", "commission", BREAKING)),
        ({"commission": lambda r: str(r["commission"])}, ("response-property-type-changed", "commission", BREAKING)),
        ({"commission": lambda r: f"€{r['commission']}"}, ("response-property-type-changed", "commission", BREAKING)),
        ({"commission": lambda r: {"amount": 1}}, ("response-property-type-changed", "commission", BREAKING)),
        ({"commission": lambda r: None}, ("response-property-became-nullable", "commission", BREAKING)),
        (
            {"commission": lambda r: None if r["clicks"] % 3 else 5.5},
            ("response-property-became-nullable", "commission", RISKY),
        ),
        ({"commission": lambda r: 0}, ("zero-share-rose", "commission", RISKY)),
        ({"note": lambda r: None}, ("null-share-rose", "note", RISKY)),
        ({"day": lambda r: r["day"].replace("-", "/")}, ("date-format-changed", "day", BREAKING)),
        ({"day": lambda r: "13/11/2026"}, ("date-format-changed", "day", BREAKING)),
        ({"at": lambda r: r["at"].replace("Z", "+02:00")}, ("date-format-changed", "at", BREAKING)),
        ({"status": lambda r: "void"}, ("response-property-enum-value-added", "status", RISKY)),
        ({"extra": lambda r: 1}, ("response-required-property-added", "extra", HARMLESS)),
    ],
)
def test_a_fault_in_one_field_is_named_once(change, expected):
    assert kinds(seen(each(payload(77), **change))) == [expected]


def test_a_removed_field_is_required_only_when_it_was_nearly_always_there():
    gone = [{k: v for k, v in row.items() if k != "commission"} for row in payload(77)]
    assert kinds(seen(gone)) == [("response-required-property-removed", "commission", BREAKING)]
    few = Contract((profile(payload(1, 5), payload="x", at=AT),))
    assert kinds(seen(gone, few)) == [("response-optional-property-removed", "commission", RISKY)]


def test_a_field_that_comes_and_goes_is_no_removal():
    whole = Contract()
    for seed in range(8):
        records = payload(seed, **({"rare": 1} if seed % 3 == 0 else {}))
        whole = whole.learn(profile(records, payload=str(seed), at=AT + timedelta(days=seed)))
    assert seen(payload(77), whole) == ()


def test_a_field_only_some_records_have_may_be_missing_from_a_small_payload():
    whole = Contract()
    for seed in range(5):
        records = payload(seed)
        records[0]["rare"] = 1
        whole = whole.learn(profile(records, payload=str(seed), at=AT + timedelta(days=seed)))
    assert seen(payload(77), whole) == ()


def test_a_field_that_turns_optional_is_risky():
    records = payload(77)
    for row in records[::2]:
        del row["commission"]
    assert kinds(seen(records)) == [("response-property-became-optional", "commission", RISKY)]


def test_severity_follows_what_a_path_is_read_for():
    gone = [
        {"day": row["day"], "site": row["site"], "clicks": row["clicks"], "at": row["at"], "id": row["id"]}
        for row in payload(77)
    ]
    found = {change.path: change.severity for change in seen(gone, uses=USES)}
    assert found == {"commission": BREAKING, "status": RISKY, "note": RISKY}


def test_what_lies_below_a_changed_object_is_not_repeated():
    before = past(deal={"cpa": {"amount": 5, "currency": "EUR"}})
    assert [change.path for change in seen(payload(77), before)] == ["deal"]
    assert [change.path for change in seen(payload(77, deal={"cpa": {"amount": 5}}))] == ["deal"]


def test_an_object_that_was_always_null_may_become_one():
    assert seen(payload(77, deal={"cpa": 5}), past(deal=None)) == ()


def test_an_empty_list_says_nothing_about_its_elements():
    before = past(players=[{"id": 1, "name": "x"}])
    assert seen(payload(77, players=[]), before) == ()


def test_integers_are_numbers_and_nulls_no_type():
    before = past(level=3)
    assert seen(payload(77, level=3.5), before) == ()
    assert seen(payload(77, level="3"), before) != ()


# ── units ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@CALM
@given(st.integers(1000, 10**6), st.sampled_from([100, 1000, 0.01]))
def test_a_power_of_ten_is_found_by_medians_alone(seed, factor):
    records = each(payload(seed), commission=lambda row: row["commission"] * factor)
    assert ("scale-changed", "commission", BREAKING) in kinds(seen(records))


def test_a_business_a_hundred_times_larger_is_no_change_of_unit():
    records = each(payload(77), commission=lambda row: row["commission"] * 100, clicks=lambda row: row["clicks"] * 100)
    assert seen(records) == ()


def test_one_enormous_record_is_no_change_of_unit():
    records = payload(77)
    records[0]["commission"] = 100_000.0
    assert seen(records) == ()


def test_counts_are_never_called_money():
    records = each(payload(77), clicks=lambda row: row["clicks"] * 100)
    assert seen(records, uses=USES) == ()


def test_the_same_records_at_the_same_value_veto_a_moved_median():
    old = payload(1)
    new = old[:10] + each(
        payload(2, 300), commission=lambda row: row["commission"] * 100, site=lambda row: row["site"] + "b"
    )
    assert ("scale-changed", "commission", BREAKING) in kinds(seen(new))
    assert not [change for change in seen(new, pairs=join(old, new, ("id",))) if change.kind == "scale-changed"]


def test_a_few_joined_records_are_enough_when_they_agree():
    old = payload(1, 3)
    new = each(old, commission=lambda row: row["commission"] * 100)
    found = seen(new, Contract((profile(old, payload="x", at=AT),)), pairs=join(old, new, ("id",)))
    assert kinds(found) == [("scale-changed", "commission", BREAKING)]


# ── the same records ─────────────────────────────────────────────────────────────────────────────────────────────────


def rename(records, old, new):
    return [{(new if key == old else key): value for key, value in row.items()} for row in records]


def test_a_rename_needs_equal_values_on_the_same_records():
    old = payload(5)
    before = past(6)
    new = rename(old, "commission", "commision")
    found = seen(new, before, pairs=join(old, new, ("id",)))
    assert kinds(found) == [("field-renamed", "commission", BREAKING)]
    assert (found[0].was, found[0].now) == ("commission", "commision")
    other = each(new, commision=lambda row: row["commision"] + 1)
    found = {change.kind for change in seen(other, before, pairs=join(old, other, ("id",)))}
    assert found == {"response-required-property-removed", "response-required-property-added"}


def test_fields_of_zeros_and_nulls_prove_no_rename():
    old = payload(5, bonus=0)
    new = rename(old, "bonus", "tax")
    found = {change.kind for change in seen(new, past(bonus=0), pairs=join(old, new, ("id",)))}
    assert "field-renamed" not in found


def test_a_clock_that_moved_is_found_on_the_same_records():
    old = payload(5)
    new = each(
        old, at=lambda row: (datetime.fromisoformat(row["at"]) + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    )
    found = seen(new, pairs=join(old, new, ("id",)))
    assert kinds(found) == [("timezone-shifted", "at", BREAKING)]
    assert found[0].now == "+2 h"


def test_a_key_is_guessed_only_where_it_identifies_records_in_both_payloads():
    old, new = payload(5), payload(5)
    assert guess_key(old, new) == ("id",)
    assert guess_key(old[:3], new) == ()
    assert guess_key([{"a": 1}] * 9, [{"a": 1}] * 9) == ()


# ── the payload as a whole ───────────────────────────────────────────────────────────────────────────────────────────


def test_an_exact_page_of_a_longer_report_is_truncated():
    assert kinds(seen(payload(77, 50))) == [("paging-truncated", "", BREAKING)]
    assert seen(payload(77, 49)) == ()


def test_a_report_that_counts_more_rows_than_it_holds_is_truncated():
    assert kinds(seen(payload(77), total=600)) == [("paging-truncated", "", BREAKING)]
    assert seen(payload(77), total=60) == ()


def test_an_empty_report_after_full_ones_is_rows_vanished():
    assert kinds(seen([])) == [("rows-vanished", "", BREAKING)]


@pytest.mark.parametrize(("twice", "severity"), [(1, RISKY), (20, BREAKING)])
def test_records_that_share_a_key_are_named(twice, severity):
    before = Contract((profile(payload(1), payload="x", at=AT, key=("id",)),))
    records = payload(77)
    found = seen(records + records[:twice], before, key=("id",))
    assert ("key-duplicates", "", severity) in kinds(found)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, []),
        ({"Deprecation": "false"}, []),
        ({"Deprecation": "@1767225600"}, [("endpoint-deprecated", "Deprecation", RISKY)]),
        ({"deprecation": "true"}, [("endpoint-deprecated", "Deprecation", RISKY)]),
        ({"Sunset": "Fri, 01 Jan 2027 00:00:00 GMT"}, [("endpoint-deprecated", "Sunset", RISKY)]),
        ({"Sunset": "Thu, 01 Jan 2026 00:00:00 GMT"}, [("endpoint-deprecated", "Sunset", BREAKING)]),
        ({"Sunset": "\x1b[2J"}, [("endpoint-deprecated", "Sunset", RISKY)]),
        ({"Warning": '299 - "deprecated API"'}, [("endpoint-deprecated", "Warning", RISKY)]),
        ({"Warning": '299 - "hello"'}, [("endpoint-deprecated", "Warning", HARMLESS)]),
        ({"Warning": "110 stale"}, []),
        ({"X-API-Deprecated": "true"}, [("endpoint-deprecated", "Deprecation", RISKY)]),
        ({"X-Sunset": "2026-01-01"}, [("endpoint-deprecated", "Sunset", RISKY)]),
        ({"Link": '<https://api.example/next>; rel="sunset"'}, [("endpoint-deprecated", "Link", RISKY)]),
        ({"Link": '<https://api.example/?page=2>; rel="next"'}, []),
        ({"Link": "<" * 5_000}, []),
    ],
)
def test_headers_announce_the_end_of_an_api(headers, expected):
    found = announced(headers, AT)
    assert kinds(found) == expected
    assert not any("\x1b" in change.now for change in found)


def test_an_announced_end_says_how_far_it_is():
    assert announced({"Sunset": "Fri, 01 Jan 2027 00:00:00 GMT"}, AT)[0].now == "2027-01-01, in 61 days"
    assert announced({"Sunset": "Thu, 01 Oct 2026 00:00:00 GMT"}, AT)[0].now == "2026-10-01, 31 days ago"
