from __future__ import annotations

import pytest

from checks.parsers.candidates import Broken, Source
from checks.parsers.page import read_page
from checks.parsers.repair import repairs_for
from checks.parsers.similarity import alike, portraits_of
from checks.parsers.spec import parse_spec

OFFERS = '[parser]\n[parser.fields.bonus]\ncss = "ul.offer-list li.offer-list__bonus"\nmany = true\n'
MENU = (
    "<nav class=menu><ul>"
    + "".join(f"<li class=item><a href=/{n}>Games {n}</a></li>" for n in range(8))
    + "</ul></nav>"
)


def offers(item, count=6, first=1):
    rows = "".join(item.format(n=n * 50, k=n) for n in range(first, first + count))
    return f"<body>{MENU}<main>{rows}</main><footer><p class=end>18+ play with care</p></footer></body>".encode()


OLD = "<ul class='offer-list'><li class='offer-list__name'>House {k}</li><li class='offer-list__bonus'>100% bonus up to {n} EUR</li></ul>"
NEW = "<section class='offer'><h3 class='offer-name'>House {k}</h3><p class='offerBonus x9'>100% bonus up to {n} EUR</p></section>"


def looks(spec, *bodies):
    return portraits_of(spec, map(read_page, bodies))


def test_elements_of_a_list_are_found_again_by_what_they_look_like():
    spec = parse_spec(OFFERS)
    page = read_page(offers(NEW, first=20))
    found = alike(page, spec.fields[0], looks(spec, offers(OLD))["bonus"], many=True)
    assert [node.text() for node in found][:2] == ["100% bonus up to 1000 EUR", "100% bonus up to 1050 EUR"]
    assert len(found) == 6


def test_a_menu_is_no_list_of_what_was_never_in_a_menu():
    spec = parse_spec(OFFERS.replace("ul.offer-list li.offer-list__bonus", "main li"))
    body = offers("<ul><li>100% bonus up to {n} EUR</li></ul>")
    assert alike(read_page(offers("")), spec.fields[0], looks(spec, body)["bonus"], many=True) == []


def test_what_has_not_the_type_of_the_field_is_not_like_it():
    spec = parse_spec('[parser]\n[parser.fields.bonus]\ncss = "b.amount"\ntype = "number"\n')
    known = looks(spec, b"<p><b class=amount>250</b>")["bonus"]
    page = read_page(b"<p><b class=amount-words>two hundred</b><i class=amount-sum>250</i>")
    assert [node.tag for node in alike(page, spec.fields[0], known, many=False)] == ["i"]


@pytest.mark.parametrize(
    "body", [b"", b"<p>", b"\xff\x00<<<", b"<div>" * 900, b"<li class='offer-list__bonus'></li>" * 50]
)
def test_nothing_is_like_it_on_a_page_without_content(body):
    spec = parse_spec(OFFERS)
    known = looks(spec, offers(OLD))["bonus"]
    assert alike(read_page(body), spec.fields[0], known, many=True) == []


def test_likeness_is_the_last_source_and_proves_nothing(learn_from):
    spec = parse_spec(OFFERS)
    good = [offers(OLD, first=n) for n in (1, 3, 5)]
    memory = learn_from(spec, *good)
    page = Broken(read_page(offers(NEW, first=30)), {"bonus": ("100% bonus up to 1 EUR", "100% bonus up to 2 EUR")})
    assert repairs_for(spec, ("bonus",), [page], memory) == ()
    (found,) = repairs_for(spec, ("bonus",), [page], memory, good=[read_page(body) for body in good])
    assert (found.selector, found.matches, found.source) == ("p.offerBonus", 6, Source.SIMILARITY)
    assert (found.verified, found.pages_ok) == (False, 1)


def test_each_proposal_says_where_it_comes_from(learn_from):
    spec = parse_spec(OFFERS)
    good = [offers(OLD, first=n) for n in (1, 3, 5)]
    memory = learn_from(spec, *good)
    last = tuple(f"100% bonus up to {n * 50} EUR" for n in range(1, 7))
    page = Broken(read_page(offers(NEW)), {"bonus": last})
    found = repairs_for(spec, ("bonus",), [page], memory, most=40, good=[read_page(good[0])])
    assert (found[0].source, found[0].verified) == (Source.VALUES, True)
    assert len({one.selector for one in found}) == len(found)


def test_dead_items_are_found_by_what_their_fields_look_like(learn_from):
    spec = parse_spec(
        '[parser]\nitems = "ul.offer-list"\n[parser.fields.name]\ncss = ".offer-list__name"\n[parser.fields.bonus]\ncss = ".offer-list__bonus"\n'
    )
    good = [offers(OLD, first=n) for n in (1, 3, 5)]
    page = Broken(read_page(offers(NEW, first=30)), {})
    items, *fields = repairs_for(
        spec, ("name", "bonus"), [page], learn_from(spec, *good), good=[read_page(body) for body in good]
    )
    assert (items.field, items.selector, items.matches) == ("items", "section.offer", 6)
    assert [(one.field, one.matches, one.source) for one in fields] == [
        ("name", 6, Source.SIMILARITY),
        ("bonus", 6, Source.SIMILARITY),
    ]
    assert not any(one.verified for one in (items, *fields))
