from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from data.model.parser_view import CandidateRow, DiffLine
from data.model.snapshot import PROTOCOL, CommandReply, Hello, TargetDetail, TargetRow
from data.model.state import State
from data.model.target import TargetKind

NOW = datetime(2026, 11, 17, 6, tzinfo=UTC)
HELLO = Hello(PROTOCOL, "0.1.0", "Corvane Media", "maria", "lead", ("*",), "full", "EUR", 1, NOW)
ROW = TargetRow(
    "parser:offers", TargetKind.PARSER, "main", "offers", State.FAILING, "parser.field_dead", "", None, None
)
CANDIDATES = (
    CandidateRow("price", "b.amount", 10, 1.0, 9, 10, 3, 3, verified=True, source="values"),
    CandidateRow("name", 'h2[itemprop="name"]', 8, 0.8, 0, 0, 1, 3, verified=False, source="embedded"),
)
DIFF = (DiffLine("-", 7, None, "span.price  100"), DiffLine("+", None, 9, "b.amount  100"))
DETAIL = TargetDetail(1, ROW, "https://x.example/", (), "", "", "", diff=DIFF, candidates=CANDIDATES)


def hub_of(canned_hub, detail=DETAIL):
    return canned_hub({
        "/v1/hello": HELLO, "/v1/target/parser%3Aoffers": detail, "/v1/target/parser:offers": detail,
        "/v1/commands/mend": CommandReply(ok=True, message="offers.toml: price is now b.amount, was span.price"),
    })  # fmt: skip


def test_what_changed_and_the_proposals_are_shown_with_the_next_step(canned_hub, run):
    hub_of(canned_hub)
    done = run("repair", "offers")
    assert done.code == 2
    for part in (
        "-", "span.price  100", "b.amount  100", "9 of 10", "3 of 3", "100%", "verified", "unverified", "old values", "page data",
        "losswatch repair offers --apply 1",
    ):  # fmt: skip
        assert part in done.out


def test_one_field_keeps_its_number(canned_hub, run):
    hub_of(canned_hub)
    assert "--apply 2" in run("repair", "parser:offers", "--field", "name").out
    assert "no proposal for terms; there are some for price, name" in run("repair", "offers", "--field", "terms").out


def test_a_proposal_is_written_by_the_hub_and_taken_back(canned_hub, run):
    hub = hub_of(canned_hub)
    done = run("repair", "offers", "--apply", "2")
    assert "--undo" in done.out
    assert run("repair", "offers", "--undo").code == 0
    assert hub.told == [
        ("/v1/commands/mend", {"target": "parser:offers", "field": "name", "selector": 'h2[itemprop="name"]'}),
        ("/v1/commands/mend", {"target": "parser:offers", "undo": True}),
    ]


@pytest.mark.parametrize(
    "arguments", [(), ("offers", "--apply", "0"), ("offers", "--apply", "9"), ("offers", "--apply", "1", "--undo")]
)
def test_what_does_not_exist_is_a_usage_error(canned_hub, run, arguments):
    hub = hub_of(canned_hub)
    assert run("repair", *arguments).code == 64
    assert hub.told == []


def test_json_is_one_object_a_proposal(canned_hub, run):
    hub_of(canned_hub)
    rows = [json.loads(line) for line in run("repair", "offers", "--json").out.splitlines()]
    assert [(row["field"], row["verified"]) for row in rows] == [("price", True), ("name", False)]


def test_a_parser_that_works_has_nothing_to_repair(canned_hub, run):
    hub_of(canned_hub, replace(DETAIL, row=replace(ROW, state=State.OK), diff=(), candidates=()))
    done = run("repair", "offers")
    assert done.code == 0
    assert done.out == "offers works: nothing to repair\n"
