from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from data.config.exporting import export, row_of
from data.config.importing import FORMATS, parse_sites
from data.config.table import is_name
from data.config.urls import url_fault
from data.model.target import Expect, Target, TargetKind, target_id
from data.text import clean_text, redact

SITE, LINK = TargetKind.SITE, TargetKind.LINK
TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=12).filter(
    lambda text: clean_text(text) == text and ";" not in text and text.strip() == text and text[0] != "#"
)
TAME = TEXT.filter(lambda text: not set(text) & set("*?,="))
NAMES = st.from_regex(r"[a-z][a-z0-9._/~-]{0,12}", fullmatch=True).filter(is_name)
URLS = (
    st.from_regex(r"https?://[a-z]{1,8}\.example/[a-zA-Z0-9_$&?=%.-]{0,12}", fullmatch=True)
    .filter(lambda url: not url_fault(url) and redact(url) == url)
    .filter(lambda url: url.isascii())
)
EXPECT = st.builds(
    Expect,
    status=st.lists(st.sampled_from([200, 204, 301, 404, 503]), max_size=3, unique=True).map(lambda found: tuple(sorted(found))),
    text=st.lists(TAME, max_size=2, unique=True).map(tuple),
    forbid=st.lists(TAME, max_size=2, unique=True).map(tuple),
    slow_ms=st.sampled_from([0, 300, 12_500]),
)  # fmt: skip
SITES = st.builds(
    lambda name, url, **more: Target(target_id(SITE, name), SITE, "aurora", name, url, site=name, **more),
    NAMES, URLS,
    geo=st.sampled_from(["", "DE", "SE"]), tier=st.sampled_from([1, 2, 3]), project=TAME | st.just(""),
    interval_s=st.sampled_from([1.0, 60.0, 300.0, 5_400.0, 90_000.0]), expect=EXPECT, paused=st.booleans(),
    origin=st.sampled_from(["", "192.0.2.7:8443", "o.example"]), device=st.sampled_from(["", "mobile"]),
)  # fmt: skip
MANY = st.lists(SITES, max_size=5, unique_by=(lambda one: one.name, lambda one: one.url))


@settings(max_examples=60, deadline=None)
@given(MANY, st.sampled_from([form for form in FORMATS if form != "sitemap"]))
def test_what_is_exported_comes_back_as_the_same_targets(targets, form):
    done = export(targets, SITE, form)
    assert done.count == len(targets)
    if not targets:
        return
    back = parse_sites(done.text.encode(), Path("x"), form)
    wanted = sorted((row_of(target) for target in targets), key=lambda row: row["site"])
    assert [dict(row) for row in back.sites] == wanted
    assert (back.skipped, back.notes) == ((), ())


@settings(max_examples=30, deadline=None)
@given(MANY.filter(len))
def test_a_sitemap_keeps_the_urls_and_says_that_it_keeps_no_more(targets):
    done = export(targets, SITE, "sitemap")
    assert {row["url"] for row in parse_sites(done.text.encode(), Path("x")).sites} == {one.url for one in targets}
    assert done.notes == (f"{len(targets):,} sites keep their URL alone: a sitemap holds no more",)


@pytest.mark.parametrize("form", FORMATS)
def test_a_url_with_a_key_leaves_in_no_format(form):
    target = Target("site:a", SITE, "aurora", "a", "https://a.example/?token=hunter22")
    done = export([target], SITE, form)
    assert "hunter22" not in done.text
    assert any("carry a key" in note for note in done.notes)


def test_links_keep_all_that_a_link_has():
    link = Target(
        "link:l", LINK, "aurora", "l", "https://a.example/go", site="s", partner="P01", offer="welcome", depth=1,
        expect=Expect(final_host="b.example", final_path="/x", keep=("btag", "sub"), brand=("Quill",), locale="de-AT"),
    )  # fmt: skip
    (row,) = parse_sites(export([link], LINK, "csv").text.encode(), Path("x")).sites
    assert row == row_of(link)
    assert row["keep"] == "btag;sub"


def test_only_the_targets_of_the_kind_are_written_in_the_order_of_names():
    targets = [
        Target(f"{kind}:{name}", kind, "t", name, f"https://{name}.example/") for name in "ba" for kind in (SITE, LINK)
    ]
    assert [line.partition(",")[0] for line in export(targets, SITE, "csv").text.splitlines()] == ["site", "a", "b"]


def test_a_text_that_a_pattern_of_gatus_cannot_spell_stays_as_a_label():
    target = Target("site:a", SITE, "t", "a", "https://a.example/", expect=Expect(text=("50 % * off?",)))
    done = export([target], SITE, "gatus")
    (entry,) = yaml.safe_load(done.text)["endpoints"]
    assert entry["extra-labels"]["expect"] == "50 % * off?"
    assert any("cannot spell" in note for note in done.notes)
