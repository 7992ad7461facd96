from __future__ import annotations

from checks.sites.hygiene.drift import LOOKS, Look, Presence, forgive, judge, look_of, missing, observe
from checks.sites.hygiene.pagelinks import read_links
from checks.sites.hygiene.registry import Allowed, registry_of
from checks.sites.url import parse
from data.model.ids import TargetId, TeamId
from data.model.state import State
from data.model.target import Expect, Target, TargetKind

HERE = parse("https://site.example/best/")


def link(name, url, site="best", keep=()):
    return Target(
        TargetId(f"link:{name}"), TargetKind.LINK, TeamId("a"), name, url, site=site, expect=Expect(keep=keep)
    )


LINKS = (
    link("one", "https://go.partner.example/c?btag=A1&lp=7"),
    link("two", "https://go.partner.example/c?btag=A2"),
    link("three", "https://www.other.example/visit/?aff=77&subid=top", keep=("aff", "subid")),
    link("own", "https://site.example/go/quill"),
    link("elsewhere", "https://go.partner.example/c?btag=B9", site="news"),
)
REGISTRY, ALLOWED = registry_of(LINKS)


def look(*hrefs):
    page = "".join(f'<a href="{href}">play</a>' for href in hrefs)
    return read_links(HERE, f"<html><body>{page}", REGISTRY.pages["best"], REGISTRY.tracked)


WHOLE = (
    "https://go.partner.example/c?btag=A1",
    "//go.partner.example/c/?lp=2&amp;btag=A2",
    "http://other.example/visit?subid=top&aff=77",
    "/go/quill",
)


def test_a_registered_link_is_known_by_place_and_tracked_parameters_however_it_is_written():
    found = look(*WHOLE)
    assert (found.n, found.present, found.stripped, found.ids) == (4, 0b1111, 0, ())


def test_a_link_in_a_comment_does_not_stand_on_the_page():
    page = f'<html><body><!-- <a href="{WHOLE[0]}">x</a> -->'
    assert read_links(HERE, page, REGISTRY.pages["best"], REGISTRY.tracked).present == 0


def test_a_link_without_its_parameter_is_stripped():
    found = look(*WHOLE[1:], "https://go.partner.example/c?lp=7")
    assert (found.present, found.stripped, found.dropped) == (0b1110, 0b0001, ("btag",))


def test_an_empty_parameter_is_a_lost_one():
    assert look("https://other.example/visit?aff=&subid=top").dropped == ("aff",)


def test_a_plain_link_beside_whole_ones_strips_nothing():
    assert look(*WHOLE, "https://go.partner.example/c").stripped == 0


def test_a_link_with_other_values_is_reported_by_them_wherever_it_leads_on_a_known_host():
    found = look("https://go.partner.example/c?btag=EVIL", "https://go.partner.example/other?btag=B9")
    assert found.ids == ("go.partner.example btag=EVIL", "go.partner.example btag=B9")


def test_an_id_of_another_site_of_ours_and_a_varying_parameter_accuse_nobody():
    assert ALLOWED.ours("go.partner.example", "btag", "B9")
    assert ALLOWED.ours("other.example", "subid", "anything")
    assert ALLOWED.ours("unknown.example", "btag", "EVIL")
    assert not ALLOWED.ours("go.partner.example", "btag", "EVIL")


def seen(present, *, n=4, stripped=0, dropped=(), ids=(), registered="4.abcd"):
    return Look(registered, n, present, stripped, dropped, ids)


def after(*presents):
    memory = Presence("")
    for present in presents:
        observe(memory, seen(present))
    return memory


def test_a_link_that_always_stood_there_is_missed_at_the_second_look_without_it():
    assert missing(after(*[0b1111] * 40, 0b0111)) == ()
    assert missing(after(*[0b1111] * 40, 0b0111, 0b0111)) == (3,)


def test_links_that_never_stood_on_the_page_are_not_missed():
    assert missing(after(*[0b0001] * 50)) == ()


def test_a_placement_that_rotates_three_looks_of_five_never_flaps():
    memory = Presence("")
    for number in range(300):
        observe(memory, seen(0b1111 if number % 5 < 3 else 0b0111))
        assert missing(memory) == ()


def test_a_rotating_placement_that_stays_away_is_missed_at_last():
    memory = after(*[0b1111, 0b1111, 0b0111, 0b1111, 0b0111] * 8)
    for _ in range(12):
        observe(memory, seen(0b0111))
    assert missing(memory) == (3,)


def test_nothing_is_missed_before_the_page_is_known():
    assert missing(after(*[0b1111] * (LOOKS - 3), 0, 0)) == ()


def test_a_link_that_comes_back_is_missed_no_more_and_a_forgiven_one_neither():
    memory = after(*[0b1111] * 40, 0b0111, 0b0111)
    forgive(memory)
    assert missing(memory) == ()
    assert missing(after(*[0b1111] * 40, 0, 0, 0b1111)) == ()


def test_another_inventory_begins_anew():
    memory = after(*[0b1111] * 40)
    observe(memory, seen(0, n=2, registered="2.ffff"))
    assert (memory.looks, len(memory.often), missing(memory)) == (1, 2, ())


def test_a_lost_parameter_counts_where_the_link_once_stood_whole():
    memory = after(*[0b1111] * 5)
    found = judge(memory, seen(0b1110, stripped=1, dropped=("btag",)), ALLOWED)
    assert (found.cause, found.state) == ("link.param_lost", State.FAILING)
    assert "1 of 4" in found.detail


def test_a_parameter_that_a_page_never_had_is_lost_only_if_the_inventory_says_that_it_must_survive():
    assert judge(Presence(""), seen(0, stripped=1, dropped=("btag",)), ALLOWED) is None
    assert judge(Presence(""), seen(0, stripped=4, dropped=("aff",)), ALLOWED).cause == "link.param_lost"


def test_a_foreign_id_is_a_wrong_target_at_once_unless_it_was_accepted():
    strange = seen(0b1111, ids=("go.partner.example btag=EVIL",))
    found = judge(Presence(""), strange, ALLOWED)
    assert (found.cause, found.evidence["foreign"]) == ("link.wrong_target", "go.partner.example btag=EVIL")
    assert judge(Presence(""), strange, ALLOWED, ("go.partner.example btag=EVIL",)) is None


def test_a_masked_id_accuses_nobody():
    assert judge(Presence(""), seen(0, ids=("go.partner.example btag=•••",)), ALLOWED) is None


def test_links_that_are_gone_are_degraded_with_their_share():
    memory = after(*[0b1111] * 40, 0b1000)
    found = judge(memory, seen(0b1000), ALLOWED)
    assert (found.cause, found.state) == ("content.missing_keyword", State.DEGRADED)
    assert found.detail == "3 of 4 registered links are gone from the page"


def test_evidence_that_is_not_ours_is_no_look():
    assert look_of({}) is None
    assert look_of({"links": "8 nice links"}) is None
    assert look_of({"links": "2.ab:x:y"}) is None


def test_without_tracked_parameters_nothing_can_be_foreign():
    _, allowed = registry_of((link("plain", "https://x.example/a?lp=1"),))
    assert allowed == Allowed()


def test_links_of_one_partner_name_him_and_a_mixture_names_nobody():
    allowed = Allowed(partners={"hub": ("P01", "P02", "P01")})
    assert [allowed.partner("hub", mask) for mask in (0b101, 0b010, 0b011, 0)] == ["P01", "P02", "", ""]
    assert allowed.partner("elsewhere", 0b1) == ""
