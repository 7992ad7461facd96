"""Two resolvers: which of them, or the name, is what fails."""

from __future__ import annotations

import pytest

from checks.sites.lookups import Lookups
from checks.sites.resolver import Resolver
from data.model.state import State

NAMES = [f"shop{number}.example" for number in range(5)]


@pytest.mark.parametrize("wrong", ["SERVFAIL", "REFUSED"])
def test_what_only_the_second_resolver_knows_is_used_and_noted(probe, serve, http, page, name_server, wrong):
    first, second = name_server({"*": wrong}), name_server({"*": ["127.0.0.1"]})
    url = serve(http(page)).url(host="shop.example")
    found = probe(url, resolver=first.address, second=second.address)
    assert found.state is State.OK
    assert found.evidence["resolver"].startswith("the first resolver failed: the name servers ")


def test_a_first_resolver_that_answers_leaves_no_note(probe, serve, http, page, name_server):
    both = name_server({"*": ["127.0.0.1"]})
    found = probe(serve(http(page)).url(host="shop.example"), resolver=both.address, second=both.address)
    assert "resolver" not in found.evidence


@pytest.mark.parametrize("denial", ["NXDOMAIN", []])
def test_a_name_that_only_the_first_resolver_denies_is_a_matter_of_resolvers(probe, name_server, denial):
    first, second = name_server({"*": denial}), name_server({"*": ["127.0.0.1"]})
    found = probe("http://shop.example/", resolver=first.address, second=second.address)
    assert (found.state, found.cause) == (State.UNKNOWN, "local.resolver")
    assert "the second knows 127.0.0.1" in found.detail


@pytest.mark.parametrize("second", ["NXDOMAIN", "SERVFAIL"])
def test_a_denial_that_nobody_contradicts_is_a_failure(probe, name_server, second):
    first, other = name_server({"*": "NXDOMAIN"}), name_server({"*": second})
    found = probe("http://shop.example/", resolver=first.address, second=other.address)
    assert (found.state, found.cause) == (State.FAILING, "dns.nxdomain")


def test_two_resolvers_that_are_not_there_agree_on_nothing(probe):
    found = probe("http://shop.example/", resolver="127.0.0.1:9", second="127.0.0.1:9")
    assert (found.state, found.cause) == (State.UNKNOWN, "dns.refused")


async def causes(resolver, names):
    return [(await resolver.resolve(name, 5.0)).fault.cause for name in names]


@pytest.mark.parametrize("second", [False, True])
async def test_a_resolver_that_fails_for_every_name_is_our_fault(name_server, second):
    server = name_server({"*": "SERVFAIL"})
    resolver = Resolver(server.address, server.address if second else "")
    try:
        assert (await causes(resolver, NAMES))[-1] == "local.resolver"
    finally:
        resolver.close()


async def test_five_dead_domains_are_no_dead_resolver_while_others_are_answered_for(name_server):
    server = name_server({"fine.example": ["127.0.0.1"], "*": "SERVFAIL"})
    resolver = Resolver(server.address)
    try:
        assert (await resolver.resolve("fine.example", 5.0)).addresses == ("127.0.0.1",)
        assert set(await causes(resolver, NAMES)) == {"dns.servfail"}
    finally:
        resolver.close()


def noted(*failed, good=None):
    found = Lookups()
    if good is not None:
        found.note("fine.example", good, answered=True)
    for at, name in failed:
        found.note(name, at, answered=False)
    return found


@pytest.mark.parametrize(
    ("failed", "good", "suspicious"),
    [
        ([(at, name) for at, name in enumerate(NAMES)], None, True),
        ([(at, name) for at, name in enumerate(NAMES)], -10, False),
        ([(at, name) for at, name in enumerate(NAMES)], -100, True),
        ([(at, name) for at, name in enumerate(NAMES[:4])], None, False),
        ([(at, f"{at}.one.example") for at in range(20)], None, False),
        ([(at * 30 - 120, name) for at, name in enumerate(NAMES)], None, False),
    ],
    ids=["all fail", "one was answered", "long ago", "too few", "one zone", "spread out"],
)
def test_a_resolver_is_suspicious_when_five_domains_fail_in_a_minute_that_answers_none(failed, good, suspicious):
    assert noted(*failed, good=good).suspicious(5.0) is suspicious


async def test_a_suspected_resolver_is_cleared_by_a_name_that_it_still_knows(name_server):
    server = name_server({"fine.example": ["127.0.0.1"], "*": "SERVFAIL"})
    resolver = Resolver(server.address)
    try:
        resolver._lookups.good.append("fine.example")
        assert set(await causes(resolver, NAMES)) == {"dns.servfail"}
    finally:
        resolver.close()
