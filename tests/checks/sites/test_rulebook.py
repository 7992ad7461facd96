"""The rulebook: own rules before shipped ones, and a quick look that never hides a match."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.engine.wire import Configure, ProbeSettings, frame
from checks.sites.content import judge_content
from checks.sites.fold import fold, fold_pattern
from checks.sites.literals import Literals, literals_of
from checks.sites.page import read_page
from checks.sites.rulebook import Rulebook, shipped
from data.config.patterns import LONGEST
from data.config.rules import CAUSES, PLACES
from data.config.settings import ContentRule, Settings
from data.model.target import TargetKind

TERMS = [fold_pattern(term) for rule in shipped() if rule.where != ("source",) for term in rule.any]


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(TERMS), st.data())
def test_every_match_of_an_expression_holds_one_of_its_literals(term, data):
    text = data.draw(st.from_regex(re.compile(term), fullmatch=False))
    assert any(literal in text for literal in literals_of(term))


@pytest.mark.parametrize(
    ("term", "literals"),
    [
        ("a(?:b|cd)?ef+g", ("ef",)),
        ("(?:oferta|promo) x", ("oferta", "promo")),
        ("x{0,3}abc", ("abc",)),
        ("x{2}abc", ("abc",)),
        ("(?:a|b?)", ("",)),
        (r"[abc]d\.com", ("d.com",)),
        ("(?=foo)ba", ("ba",)),
        (r"\bword\b", ("word",)),
        ("a|", ("",)),
    ],
)
def test_the_literals_of_an_expression(term, literals):
    assert literals_of(term) == literals


@given(
    st.lists(st.text("abc ", min_size=1, max_size=9), min_size=1, max_size=150, unique=True),
    st.text("abc ", max_size=200),
)
@settings(deadline=None, max_examples=60)
def test_looking_for_many_texts_at_once_finds_what_looking_for_each_does(texts, text):
    assert sorted(Literals.of(tuple(texts)).within(text)) == sorted(one for one in texts if one in text)


@given(st.text(max_size=40))
def test_folding_twice_changes_nothing(text):
    assert fold(fold(text)) == fold(text)


def test_every_shipped_rule_is_one_an_operator_could_write():
    names = [rule.id for rule in shipped()]
    assert len(names) == len(set(names))
    for rule in shipped():
        assert set(rule.where) <= set(PLACES)
        assert rule.cause in CAUSES | {"tls.client_cert", "edge.refused"}
        assert all(len(term) <= LONGEST for term in rule.any)
        assert rule.any


def judge(html, *own, status=200, kind=TargetKind.LINK):
    page = read_page(html.encode(), "text/html; charset=utf-8")
    return judge_content(page, kind, status, Rulebook.of(own))


FALLBACK = ContentRule("fallback", "link.inactive", ("more offers for you",))


def test_an_own_rule_speaks_before_the_shipped_ones():
    html = "<title>Page not found</title><p>More OFFERS for you</p>"
    assert judge(html).cause == "content.soft404"
    found = judge(html, FALLBACK)
    assert (found.cause, found.rule, found.matched) == ("link.inactive", "fallback", "text: More OFFERS for you")


def test_an_own_rule_with_a_negative_score_silences_a_shipped_one():
    html = "<h1>This offer has expired</h1><p>Quillspin classics: a game show</p>"
    calm = ContentRule("calm", "link.inactive", ("quillspin classics",), score=-3.0)
    assert judge(html).cause == "link.inactive"
    assert judge(html, calm) is None


def test_an_own_rule_keeps_to_its_kind_its_statuses_and_its_length():
    rule = ContentRule("r", "link.inactive", ("gone fishing",), status=(404,), kinds=(TargetKind.LINK,), max_text=50)
    page = "<p>Gone fishing</p>"
    assert judge(page, rule, status=404).rule == "r"
    assert judge(page, rule) is None
    assert judge(page, rule, status=404, kind=TargetKind.SITE) is None
    assert judge(page + "<p>a long and quiet text about the sea</p>" * 9, rule, status=404) is None


def test_weak_own_rules_add_up():
    half = [
        ContentRule(f"half-{n}", "link.inactive", (word,), ("text",), 0.5) for n, word in enumerate(("blue", "moon"))
    ]
    assert judge("<p>blue</p>", *half) is None
    assert judge("<p>blue moon</p>", *half).evidence["score"] == "1.0"


def test_an_own_rule_may_look_at_the_source_and_at_any_length():
    source = ContentRule("s", "content.parked", ("Lander-9.example",), ("source",), max_text=0)
    html = "<script src=https://LANDER-9.example/x.js></script>" + "<p>words and more words</p>" * 900
    assert judge(html).__class__ is type(None)
    assert judge(html, source).rule == "s"


def test_room_keeps_a_rule_from_long_titles():
    rule = ContentRule("r", "link.inactive", ("gone",), ("title",), room=5)
    assert judge("<title>gone | Quillspin casino</title><p>x</p>", rule).rule == "r"
    assert judge("<title>gone with the wind and the rain | Quillspin</title><p>x</p>", rule) is None


def test_own_rules_travel_to_the_probes():
    sent = Configure(ProbeSettings.of(Settings(Path("/nowhere"), rules=(FALLBACK,))))
    assert msgspec.msgpack.decode(frame(sent)[4:], type=Configure).settings.rules == (FALLBACK,)


def test_the_command_reads_the_rules_of_its_home_and_names_the_one_that_spoke(tmp_path, serve, http):
    (tmp_path / "losswatch.toml").write_text('[content]\nrules = "rules.toml"\n')
    (tmp_path / "rules.toml").write_text('[[rule]]\nid = "fallback"\ncause = "link.inactive"\nany = ["more offers"]\n')
    url = serve(http("<h1>More offers</h1><p>Play.</p>")).url()
    words = ["losswatch", "--home", str(tmp_path), "check", "link", url]
    done = subprocess.run(
        [sys.executable, "-m", "tui.cli.main", *words[1:], "--json"], check=False, capture_output=True, timeout=60
    )
    found = json.loads(done.stdout)
    assert (done.returncode, found["cause"]) == (2, "link.inactive")
    assert found["evidence"].items() >= {"rule": "fallback", "matched": "headings: More offers", "score": "1.3"}.items()
    told = subprocess.run(
        [sys.executable, "-m", "tui.cli.main", *words[1:]], check=False, capture_output=True, timeout=60, text=True
    )
    assert "headings: More offers  (rule fallback)" in told.stdout
