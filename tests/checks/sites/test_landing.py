"""Where a chain lands: whose page, which page, in which language, licensed for whom."""

from __future__ import annotations

import pytest

from checks.incidents.lifecycle import fingerprint
from checks.incidents.severity import grade
from checks.sites.landing import is_home
from data.config.settings import Brand
from data.model.ids import PartnerId
from data.model.incident import Severity
from data.model.money import NO_LOSS
from data.model.state import State
from data.model.target import TargetKind
from tests.checks.sites.conftest import http, to

BODY = "<p>" + "Spiele, Boni und Bedingungen im Überblick. " * 40


def page(lang="", head="", body=BODY, title="Quillspin Casino", **headers):
    attribute = f' lang="{lang}"' if lang else ""
    return http(f"<html{attribute}><head><title>{title}</title>{head}</head><body>{body}</body></html>", **headers)


def lands(town, travel, landing, path="/land", host="www.quillspin.example", **options):
    table = {"go.ours.example/out": to(f"http://{host}:PORT{path}"), f"{host}{path}": landing}
    return travel(town(table), "go.ours.example/out", **options)


# ── brand text ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "landing",
    [
        page(),
        page(title="Welcome", body=f"<h1>QUILL-SPIN</h1>{BODY}"),
        page(title="Welcome", body=f"{BODY}<footer>© Quill Spin Ltd</footer>"),
        page(title="Welcome", head='<meta property="og:site_name" content="Quillspin">'),
        page(title="Welcome", body=f'<img src="/l.png" alt="Quillspin logo">{BODY}'),
    ],
)
def test_a_brand_stands_in_title_headings_text_footer_or_what_previews_are_told(town, travel, landing):
    assert lands(town, travel, landing, brand=("Nobody", "Quill Spin")).state is State.OK


@pytest.mark.parametrize(
    "landing",
    [
        page(title="Marlow Slots"),
        page(title="Quillspinners club"),
        page(
            title="Marlow", body=f'<script>var q = "Quillspin"</script><a href="https://quillspin.example/">x</a>{BODY}'
        ),
    ],
)
def test_a_page_that_shows_none_of_the_brands_is_a_wrong_target(town, travel, landing):
    found = lands(town, travel, landing, brand=("Quillspin", "Quill Casino"))
    assert (found.state, found.cause) == (State.FAILING, "link.wrong_target")
    assert "shows none of Quillspin, Quill Casino" in found.detail


# ── locale ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("landing", "path"),
    [
        (page("de-AT"), "/land"),
        (page("de"), "/land"),
        (page("DE_at"), "/land"),
        (page(), "/land"),
        (page("en"), "/de-at/land"),
        (page("en"), "/at-de/land"),
        (page("en", '<meta property="og:locale" content="de_AT">'), "/land"),
        (page("en", content_language="fr, de"), "/land"),
        (page("en", '<link rel="alternate" hreflang="de-at" href="/land?x=1">'), "/land"),
        (
            page(
                "",
                '<link rel="alternate" hreflang="fr" href="/fr/land"><link rel="alternate" hreflang="x-default" href="/land">',
            ),
            "/land",
        ),
        (page("{{ lang }}"), "/go-on/land"),
    ],
)
def test_a_page_that_agrees_in_one_place_or_declares_nothing_is_fine(town, travel, landing, path):
    assert lands(town, travel, landing, path, locale="de-AT").state is State.OK


@pytest.mark.parametrize(
    ("landing", "path", "said"),
    [
        (page("en"), "/land", "html lang en"),
        (page("de-DE"), "/land", "html lang de-DE"),
        (page(content_language="fr"), "/land", "Content-Language fr"),
        (page("", '<meta property="og:locale" content="pl_PL">'), "/land", "og:locale pl_PL"),
        (page("", '<link rel="alternate" hreflang="cs-CZ" href="/land">'), "/land", "hreflang cs-CZ"),
        (page(), "/en-gb/land", "path en-GB"),
    ],
)
def test_a_page_for_another_language_or_country_is_a_wrong_target_with_its_words_as_evidence(
    town, travel, landing, path, said
):
    found = lands(town, travel, landing, path, locale="de-AT")
    assert (found.state, found.cause) == (State.FAILING, "link.wrong_target")
    assert said in found.evidence["locale"]


def test_who_expects_a_language_asks_for_it_as_a_visitor_would(town, travel):
    def answer(request):
        return page("de" if request.headers["accept-language"].startswith("de-AT,de;") else "en")

    assert lands(town, travel, answer, locale="de-AT").state is State.OK


# ── home ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["", "/", "/en/", "/de-at", "/index.html", "/home", "/en/home/", "/default.aspx"])
def test_known_homes(path):
    assert is_home(path)


@pytest.mark.parametrize("path", ["/offer", "/en/offer", "/homes", "/casino/", "/deutsch/", "/en/gb/"])
def test_what_is_no_home(path):
    assert not is_home(path)


@pytest.mark.parametrize("home", ["/", "/en/", "/index.html"])
def test_a_deep_link_that_lands_on_any_home_says_so(town, travel, home):
    assert lands(town, travel, page(), home, final_path="/offer/42").cause == "link.to_home"


def moved(town, travel, start, end="/", **options):
    table = {
        f"www.quillspin.example{start}": to(f"http://quillspin.example:PORT{end}"),
        f"quillspin.example{end}": page(),
    }
    return travel(town(table), f"www.quillspin.example{start}", **options)


@pytest.mark.parametrize("start", ["/en/slots/star-river", "/bonus/welcome-offer"])
def test_a_page_of_a_host_that_redirects_to_its_own_home_is_a_dead_deep_link_without_being_told_the_path(
    town, travel, start
):
    assert moved(town, travel, start).cause == "link.to_home"


@pytest.mark.parametrize("start", ["/go/star-river", "/c/4711", "/visit/quillspin", "/redirect.aspx", "/en/welcome"])
def test_a_redirector_on_the_brands_own_host_may_lead_home(town, travel, start):
    assert moved(town, travel, start).state is State.OK


def test_a_site_that_leads_home_is_its_owners_wish(town, travel):
    assert moved(town, travel, "/en/slots/star-river", kind=TargetKind.SITE).state is State.OK


# ── whose ────────────────────────────────────────────────────────────────────────────────────────────────────────────

QUILL = Brand("Quillspin", PartnerId("P05"), ("quillspin.example",), ("DE", "GB"))
MARLOW = Brand("Marlow", PartnerId("P09"), ("marlow.example", "marlow-play.example"))


def test_a_brand_that_is_not_licensed_in_the_links_country_is_a_matter_of_compliance(town, travel):
    found = lands(town, travel, page(), geo="", partner="P05", brands=(QUILL,))
    assert found.state is State.OK, "without a country there is nothing to be licensed for"
    found = lands(town, travel, page(), geo="at", partner="P05", brands=(QUILL,))
    assert (found.state, found.cause) == (State.FAILING, "link.wrong_target")
    assert found.evidence["compliance"] == "Quillspin is not licensed in AT"


@pytest.mark.parametrize("geo", ["DE", "UK", "GB"])
def test_a_licensed_brand_is_fine_and_uk_is_gb(town, travel, geo):
    assert lands(town, travel, page(), geo=geo, partner="P05", brands=(QUILL,)).state is State.OK


def test_a_licence_comes_before_the_wrong_host(town, travel):
    found = lands(town, travel, page(), geo="AT", partner="P05", brands=(QUILL,), final_host="elsewhere.example")
    assert "compliance" in found.evidence


def test_compliance_makes_an_incident_a_sev1(town, travel):
    found = lands(town, travel, page(), geo="AT", partner="P05", brands=(QUILL,))
    shared = fingerprint(found)
    assert shared["compliance"] == "Quillspin is not licensed in AT"
    assert grade(found.cause, NO_LOSS, 1, compliance="compliance" in shared) is Severity.SEV1


def test_another_partners_brand_is_a_wrong_target_unless_that_host_is_the_one_expected(town, travel):
    options = {"host": "de.marlow-play.example", "partner": "P05", "brands": (QUILL, MARLOW)}
    found = lands(town, travel, page(), **options)
    assert (found.cause, found.evidence["brand"]) == ("link.wrong_target", "Marlow")
    assert "Marlow of P09, not of P05" in found.detail
    assert lands(town, travel, page(), **options, final_host="marlow-play.example").state is State.OK
    assert lands(town, travel, page(), **(options | {"partner": "P09"})).state is State.OK
    assert lands(town, travel, page(), **(options | {"partner": ""})).state is State.OK


def test_a_brand_shared_by_two_partners_is_right_for_both(town, travel):
    both = (QUILL, Brand("Quillspin", PartnerId("P07"), ("quillspin.example",)))
    assert lands(town, travel, page(), partner="P07", brands=both).state is State.OK


def test_a_site_is_nobodys_link_and_shows_whatever_brand_it_likes(town, travel):
    found = lands(town, travel, page(), geo="", partner="", brands=(QUILL, MARLOW), kind=TargetKind.SITE)
    assert found.state is State.OK
