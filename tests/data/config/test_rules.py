"""An operator's own rules: what they say, and what is wrong with them, told by line before a probe ever sees them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.config.home import Home
from data.config.load import load, own_rules
from data.config.patterns import pattern_fault
from data.config.problems import ConfigErrors
from data.config.settings import ContentRule
from data.config.watch import stamps
from data.errors import ConfigError
from data.model.target import TargetKind

SOUND = """
[[rule]]
id = "quillspin-fallback"
cause = "link.inactive"
any = ['we found (?:these|other) offers for you', 'hemos encontrado otras ofertas']

[[rule]]
cause = "content.maintenance"
where = ["shape"]
any = ['body=[^;]*\\bresting\\b']
score = -0.5
max_text = 0
room = 10
kinds = ["site"]
status = [200, 503]
"""


@pytest.fixture
def home(tmp_path):
    """home(text of rules.toml): a home whose losswatch.toml names it."""

    def make(rules):
        (tmp_path / "losswatch.toml").write_text('[content]\nrules = "rules.toml"\n')
        (tmp_path / "rules.toml").write_text(rules, encoding="utf-8")
        return Home.find(str(tmp_path))

    return make


def test_rules_are_read_with_the_usual_left_open(home):
    first, second = own_rules(home(SOUND))
    assert first == ContentRule(
        "quillspin-fallback",
        "link.inactive",
        ("we found (?:these|other) offers for you", "hemos encontrado otras ofertas"),
    )
    assert second == ContentRule(
        "own-2",
        "content.maintenance",
        (r"body=[^;]*\bresting\b",),
        ("shape",),
        -0.5,
        0,
        10,
        (TargetKind.SITE,),
        (200, 503),
    )


def test_the_settings_hold_them_and_a_change_of_the_file_is_seen(home):
    place = home(SOUND)
    made = load(place)
    assert (made.content_rules, made.rules) == ("rules.toml", own_rules(place))
    before = stamps(place, made)
    (place.config / "rules.toml").write_text(SOUND + "# longer\n")
    assert stamps(place, made) != before


def test_without_a_configuration_there_are_none(tmp_path):
    assert own_rules(Home.find(str(tmp_path))) == ()


@pytest.mark.parametrize(
    ("rules", "line", "words"),
    [
        ("[[rule]]\ncause = 'link.inactiv'\nany = ['x y']", 2, "did you mean 'link.inactive'"),
        ("[[rule]]\ncause = 'link.inactive'\nany = ['x y']\nwhere = ['titel']", 4, "did you mean 'title'"),
        ("[[rule]]\ncause = 'link.inactive'\nany = ['x y']\nkinds = ['links']", 4, "did you mean 'link'"),
        ("[[rule]]\ncause = 'link.inactive'\nany = ['x y']\nscor = 1", 4, "did you mean 'score'"),
        ("[[rule]]\ncause = 'link.inactive'", 1, "no usable expression"),
        ("[[rule]]\ncause = 'link.inactive'\nany = ['(']", 3, "is no regular expression"),
        ("[[rule]]\ncause = 'link.inactive'\nany = ['x?']", 3, "matches everything"),
        ("[[rule]]\ncause = 'link.inactive'\nany = ['(a+)+$']", 3, "repeats a group too often"),
        ("[[rule]]\ncause = 'link.inactive'\nany = ['x y']\nstatus = [99]", 4, "99"),
        ("[[rule]]\ncause = 'link.inactive'\nany = ['x y']\nscore = 'much'", 4, "allowed: a number"),
        ("[[rule]]\ncause = 'link.inactive'\nany = ['x']\nwhere = ['source', 'text']", 4, "mixes source"),
        ("[[rule]]\nid='a'\ncause='geo.blocked'\nany=['x']\n[[rule]]\nid='a'\ncause='geo.blocked'\nany=['x']", 6, "is used twice"),
        ("[[rules]]\ncause = 'link.inactive'", "", "did you mean 'rule'"),
        ("[[rule]\n", 1, "is not TOML"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_file_line_and_nearest_name(home, rules, line, words):
    with pytest.raises(ConfigError) as told:
        own_rules(home(rules))
    assert f"rules.toml:{line}:".replace("::", ":") in str(told.value)
    assert words in str(told.value)


def test_a_file_that_is_not_there_is_told_where_it_is_named(tmp_path):
    (tmp_path / "losswatch.toml").write_text('[content]\nrules = "rulez.toml"\n')
    with pytest.raises(ConfigErrors, match=r"losswatch\.toml:2: content\.rules names no file"):
        own_rules(Home.find(str(tmp_path)))


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+$",
        r"(?:a|b)*c",
        r"(a?){30}a{30}",
        r"(?:a{0,9}){0,9}b",
        r".*a.*b.*c",
        r"\w*\w*\w*x",
        r"\s*\s*\s*x",
        r"(a)\1",
        r"(?P<x>a)(?P=x)",
        "x" * 501,
        " ",
    ],
)
def test_an_expression_that_could_keep_a_probe_busy_is_refused(pattern):
    assert pattern_fault(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?:offer|promo) (?:is |was )?over",
        r"\bsold out\b.{0,80}come back",
        r"^\W*closed\W*$",
        r"казино (?:\w+ ){0,3}закрыто",
        r"お探しのページ",
        r"code [a-z0-9]{4,12}",
    ],
)
def test_an_ordinary_expression_is_taken(pattern):
    assert pattern_fault(pattern) == ""


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=r"ab.*+?()[]{}|\wds^$0123,-", max_size=30))
def test_whatever_is_written_gets_an_answer(pattern):
    assert isinstance(pattern_fault(pattern), str)
