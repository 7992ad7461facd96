from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import zstandard

from checks.hub.evidence import Evidence, EvidenceRoom, Keeper, shown
from checks.parsers import memory as memories
from checks.parsers.spec import parse_spec
from data.model.page import KeptPage
from data.model.principal import EVERYTHING
from data.model.state import State
from data.store.store import Store

T0 = datetime(2026, 11, 17, 6, tzinfo=UTC)
URL = "https://offers.example/casino"
SPEC = parse_spec(
    '[parser]\n[parser.fields.name]\ncss = "h2.name"\n[parser.fields.price]\ncss = "span.price"\ntype = "number"\n'
)
GOOD = "<main><div class=offer><h2 class=name>Aurora Casino {n}</h2><span class=price>{n}00</span><p class=terms>18+</p></div></main>"
TARGET = SimpleNamespace(id="parser:offers", name="offers", url=URL)


def kept(hours, text, verdict="ok"):
    body = zstandard.compress(text.encode())
    return KeptPage("offers", "aurora", T0 + timedelta(hours=hours), URL, "f1", verdict, verdict == "ok", body)


def good(hours):
    return kept(hours, GOOD.format(n=1))


def bad(hours, verdict="parser.field_dead"):
    return kept(hours, GOOD.format(n=1).replace("class=price", "class=amount"), verdict)


def of(bad_pages, good_pages=None):
    fine = [good(2), good(1), good(0)] if good_pages is None else good_pages
    return shown(SPEC, URL, fine, bad_pages, memories.fresh(SPEC))


def test_a_dead_field_gets_a_diff_and_candidates_from_the_kept_pages():
    found = of([bad(4), bad(3)])
    assert [line.text.strip() for line in found.diff if line.kind != " "] == ["span.price  100", "span.amount  100"]
    best = found.candidates[0]
    assert best.source == "values"
    assert (best.field, best.selector, best.matches, best.fill, best.verified) == ("price", "span.amount", 1, 1.0, True)
    assert (best.same, best.comparable, best.pages_ok, best.pages) == (2, 2, 2, 2)


def test_without_good_pages_there_is_nothing_to_compare_with():
    assert of([bad(3)], []).diff == ()


@pytest.mark.parametrize("body", [b"", b"no zstd", zstandard.compress(b"")])
def test_a_body_that_cannot_be_read_is_no_evidence(body):
    broken = KeptPage("offers", "aurora", T0, URL, "f1", "parser.field_dead", good=False, body=body)
    assert of([broken]).candidates == ()


def test_pages_of_a_gate_are_no_evidence_and_what_was_mended_is_none_either(tmp_path):
    store = Store.open(tmp_path / "a.duckdb", "key")

    def read(*pages):
        store.write(pages).result()
        return EvidenceRoom(store).of(TARGET, SPEC, None, EVERYTHING)

    try:
        assert read() == Evidence()
        assert read(good(0), good(1), bad(2, "page.blocked")) == Evidence()
        assert read(bad(3)).candidates
        assert read(good(4)) == Evidence()
    finally:
        store.close()


def outcome(minutes, body=b"x", state=State.OK, family="f1"):
    run = SimpleNamespace(
        parser="offers", team="aurora", at=T0 + timedelta(minutes=minutes), url=URL, family=family, verdict="ok"
    )
    return SimpleNamespace(run=run, observation=SimpleNamespace(state=state), page=body, content_type="")


def test_a_good_page_an_hour_and_layout_is_kept_and_every_failing_one_that_is_new():
    keeper = Keeper()
    keep = [keeper.page(TARGET, one) is not None for one in (
        outcome(0), outcome(30), outcome(30, family="f2"), outcome(61),
        outcome(62, b"1", State.FAILING), outcome(63, b"1", State.FAILING), outcome(64, b"2", State.UNKNOWN),
        outcome(65, b""),
    )]  # fmt: skip
    assert keep == [True, False, True, True, True, False, True, False]
