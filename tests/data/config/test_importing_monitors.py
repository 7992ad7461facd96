"""Other monitors' configurations as rows of the inventory."""

from __future__ import annotations

import json
import resource
from contextlib import nullcontext
from pathlib import Path

import pytest

from data.config.importing import parse_sites, recognised
from data.errors import ConfigError
from data.model.target import TargetKind

HERE = Path("x")


def kuma(*monitors: dict, **more) -> bytes:
    return json.dumps({"version": "1.23.11", "monitorList": list(monitors), **more}).encode()


def monitor(**given) -> dict:
    return {
        "id": 1, "name": "Casino", "type": "http", "url": "https://a.example/", "method": "GET", "interval": 60,
        "active": True, "accepted_statuscodes": ["200-299"], "maxredirects": 10, "tags": [], "upsideDown": False,
        "notificationIDList": {}, "expiryNotification": True,
    } | given  # fmt: skip


def endpoints(*entries: str) -> bytes:
    return ("endpoints:\n" + "".join(entries)).encode()


ENDPOINT = """
- name: {name}
  group: aurora
  url: "{url}"
  interval: 5m
  conditions: {conditions}
"""


def endpoint(*conditions: str, name: str = "front", url: str = "https://a.example/") -> str:
    return ENDPOINT.format(name=name, url=url, conditions=json.dumps(conditions))


def only(raw: bytes, form: str) -> dict[str, str]:
    (row,) = parse_sites(raw, HERE, form).sites
    return row


def test_a_monitor_of_kuma_becomes_a_site():
    assert only(kuma(monitor()), "kuma") == {"site": "Casino", "url": "https://a.example/", "interval": "1m"}


@pytest.mark.parametrize(
    ("given", "cells"),
    [
        ({"type": "keyword", "keyword": "Willkommen"}, {"expect": "Willkommen"}),
        ({"type": "keyword", "keyword": "Error", "invertKeyword": True}, {"forbid": "Error"}),
        ({"type": "http", "keyword": "left over from an edit"}, {}),
        ({"active": 0}, {"paused": "yes"}),
        ({"accepted_statuscodes": ["200", "404"]}, {"status": "200;404"}),
        ({"accepted_statuscodes": ["500-504"]}, {"status": "500;501;502;503;504"}),
        ({"accepted_statuscodes": ["abc", "9-1", "٢٠٠"]}, {}),
        ({"tags": [{"name": "Tier", "value": "1"}, {"name": "geo", "value": "DE"}]}, {"tier": "1", "geo": "DE"}),
        ({"tags": [{"name": "url", "value": "https://evil.example/"}, {"name": "x", "value": "y"}]}, {}),
    ],
)
def test_what_kuma_expects_is_expected(given, cells):
    assert only(kuma(monitor(**given)), "kuma") == {
        "site": "Casino",
        "url": "https://a.example/",
        "interval": "1m",
        **cells,
    }


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"type": "ping", "hostname": "a.example"}, "is a monitor of type ping"),
        ({"type": "push"}, "is a monitor of type push"),
        ({"type": "group"}, "is a monitor of type group"),
        ({"method": "POST"}, "sends POST"),
        ({"upsideDown": True}, "is up when it fails"),
        ({"url": "https://u:hunter22@a.example/"}, "carries a user name or password"),
        ({"url": "https://a.example/?token=hunter22"}, "carries a key"),
        ({"url": "javascript:alert(1)"}, "does not start with http"),
        ({"url": None}, "is empty"),
        ({"url": {"a": 1}}, "is empty"),
    ],
)
def test_a_monitor_that_cannot_be_watched_is_left_out_in_words(given, words):
    imported = parse_sites(kuma(monitor(**given)), HERE, "kuma")
    assert imported.sites == ()
    assert words in imported.skipped[0]
    assert "hunter22" not in str(imported)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"headers": '{"Authorization": "Bearer hunter22"}'}, "headers and bodies"),
        ({"basic_auth_user": "u", "basic_auth_pass": "hunter22"}, "belong in the keyring"),
        ({"type": "json-query", "jsonPath": "$.a", "expectedValue": "1"}, "JSON query"),
        ({"ignoreTls": True}, "certificate errors"),
        ({"maxredirects": 0}, "limit of redirects"),
        ({"timeout": 30}, "timeout"),
        ({"tags": [{"name": "geo", "value": "Deutschland"}]}, "geo 'Deutschland' is not a country code"),
    ],
)
def test_what_cannot_be_carried_over_is_told_and_no_secret_with_it(given, words):
    imported = parse_sites(kuma(monitor(**given)), HERE, "kuma")
    assert len(imported.sites) == 1
    assert any(words in note and note.startswith("Casino: ") for note in imported.notes)
    assert "hunter22" not in str(imported)


def test_equal_remarks_are_one_sentence_with_the_first_names():
    many = [monitor(name=f"n{number}", url=f"https://a.example/{number}", ignoreTls=True) for number in range(1_000)]
    (note,) = parse_sites(kuma(*many), HERE, "kuma").notes
    assert note.startswith("n0, n1, n2 and 997 more: certificate errors")


@pytest.mark.parametrize(
    ("conditions", "cells"),
    [
        (["[STATUS] == 200"], {"status": "200"}),
        (["[STATUS] == any(200, 429)"], {"status": "200;429"}),
        (["[STATUS] >= 200", "[STATUS] < 300"], {}),
        (["[BODY] == pat(*Willkommen*)", "[BODY] == pat(*18+*)"], {"expect": "Willkommen;18+"}),
        (["[BODY] != pat(*Fatal error*)"], {"forbid": "Fatal error"}),
        (["[BODY] == pat(*costs 5$$*)"], {"expect": "costs 5$"}),
        (["[RESPONSE_TIME] < 300"], {"slow": "300ms"}),
        (["[CERTIFICATE_EXPIRATION] > 48h", "[CONNECTED] == true"], {}),
    ],
)
def test_what_gatus_expects_is_expected(conditions, cells):
    found = parse_sites(endpoints(endpoint(*conditions)), HERE, "gatus")
    base = {"site": "front", "url": "https://a.example/", "team": "aurora", "interval": "5m"}
    assert found.sites == ({**base, **cells},)
    assert found.notes == ()


@pytest.mark.parametrize(
    "condition",
    ["[BODY].status == UP", "[STATUS] < 400", "[BODY] == pat(a*b)", "len([BODY]) > 3", "[IP] == 1.2.3.4", "", "[BODY] == pat(*${X}*)"],
)  # fmt: skip
def test_a_condition_that_is_none_of_ours_is_named(condition):
    found = parse_sites(endpoints(endpoint(condition)), HERE, "gatus")
    assert found.notes == (f"front: condition {condition!r} is not carried over",)


@pytest.mark.parametrize("url", ["icmp://a.example", "tcp://a.example:1", "ws://a.example", "https://$HOST/", "${URL}"])
def test_an_endpoint_that_is_no_web_page_or_hides_its_url_is_left_out_in_words(url):
    found = parse_sites(endpoints(endpoint(url=url)), HERE, "gatus")
    assert found.sites == ()
    assert "environment" in found.skipped[0] or "no web page" in found.skipped[0]


def test_gatus_anchors_and_merges_are_understood():
    raw = b"x: &base {interval: 2m, group: aurora}\nendpoints:\n- {<<: *base, name: a, url: 'https://a.example/'}\n"
    assert only(raw, "gatus") == {"site": "a", "url": "https://a.example/", "team": "aurora", "interval": "2m"}


def laughs(levels: int, merge: str) -> bytes:
    """Ten times as much at every level."""
    lines = ["l0: &l0 {k0: 1}"]
    for level in range(1, levels):
        several = ", ".join([f"*l{level - 1}"] * 10)
        lines.append(f"l{level}: &l{level} {{{merge}: [{several}]}}")
    return "\n".join([*lines, f"endpoints: [{{name: *l{levels - 1}, url: *l{levels - 1}}}]"]).encode()


@pytest.mark.parametrize("merge", ["<<", "list"])
def test_a_bomb_of_aliases_neither_grows_nor_is_spelled_out(merge):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused = pytest.raises(ConfigError, match="merges too much") if merge == "<<" else nullcontext()
    with refused:
        assert parse_sites(laughs(12, merge), HERE, "gatus").sites == ()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


@pytest.mark.parametrize(
    ("raw", "form", "words"),
    [
        (b"[" * 100_000, "gatus", "is n"),
        (b"{" * 100_000, "kuma", "is n"),
        (b"[" * 100_000, "file_sd", "is n"),
        (b"endpoints: !!python/object/apply:os.system [id]", "gatus", "is no YAML that can be read"),
        (b"endpoints: {a: b", "gatus", "is no YAML"),
        (b"endpoints: 7", "gatus", "is no configuration of Gatus"),
        (b"- 1", "gatus", "is no configuration of Gatus"),
        (b"x: " + b"9" * 10_000, "gatus", "is n"),
        (b"\xff\xfe", "gatus", "UTF-16"),
        (b"{}", "kuma", "is no backup of Uptime Kuma"),
        (b"[1]", "kuma", "is no backup of Uptime Kuma"),
        (b'{"monitorList": 5}', "kuma", "is no backup"),
        (b"[1]", "file_sd", "is no file_sd"),
        (b'[{"labels": {}}]', "file_sd", "is no file_sd"),
        (b"{}", "file_sd", "is no file_sd"),
        (b"a: [" + b"1," * 9_000_000 + b"]", "gatus", "too large"),
    ],
)
def test_a_hostile_or_wrong_file_is_one_sentence(raw, form, words):
    with pytest.raises(ConfigError) as caught:
        parse_sites(raw, HERE, form)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 400


ODD = [None, 7, "text", [], [[]], {"targets": None}, {"targets": [None, 7, {}]}]


def test_odd_values_inside_a_good_frame_are_left_out_without_a_word_of_python():
    assert parse_sites(kuma(*[one for one in ODD if isinstance(one, dict)]), HERE, "kuma").sites == ()
    raw = json.dumps([one for one in ODD if isinstance(one, dict)]).encode()
    assert parse_sites(raw, HERE, "file_sd").sites == ()
    assert parse_sites(b"endpoints: [null, 7, [], {url: 5, name: []}, {}]", HERE, "gatus").sites == ()


FILE_SD = b"""
- targets: [https://a.example/, 'b.example:8443/x', https://c.example/]
  labels: {team: aurora, tier: 1, module: http_2xx, env: prod, geo: de}
- targets: [127.0.0.1:9115]
  labels: {__param_target: https://d.example/, name: four, __scrape_interval__: 2m}
- targets: [e.example]
  labels: {module: icmp}
- targets: [f.example]
  labels: {__scheme__: http, module: http_login}
"""


def test_file_sd_gives_a_site_a_target_and_its_labels():
    found = parse_sites(FILE_SD, Path("targets.yml"))
    shared = {"team": "aurora", "tier": "1", "geo": "de"}
    assert found.sites == (
        {"site": "a.example", "url": "https://a.example/", **shared},
        {"site": "b.example:8443/x", "url": "https://b.example:8443/x", **shared},
        {"site": "c.example", "url": "https://c.example/", **shared},
        {"site": "four", "url": "https://d.example/", "interval": "2m"},
        {"site": "f.example", "url": "http://f.example"},
    )
    assert found.skipped == ("'e.example' is probed by module icmp, which is no web page",)
    assert any("label(s) env are not carried over" in note for note in found.notes)
    assert any("module http_login expects" in note for note in found.notes)


@pytest.mark.parametrize(
    ("raw", "name", "form"),
    [
        (kuma(), "backup.json", "kuma"),
        (b'[{"targets": []}]', "sd.json", "file_sd"),
        (FILE_SD, "sd.yml", "file_sd"),
        (FILE_SD.lstrip(), "standard input", "file_sd"),
        (b"endpoints: []", "config.yaml", "gatus"),
        (b"web: {port: 1}\nendpoints:\n- name: a\n", "standard input", "gatus"),
        (b"<urlset/>", "sitemap.xml", "sitemap"),
        (b"url,team\n", "sites.csv", "csv"),
        (b"https://a.example/\n", "list.txt", "csv"),
    ],
)
def test_a_file_is_recognised_by_what_it_holds(raw, name, form):
    assert recognised(raw, Path(name)) == form


def test_a_links_csv_is_told_by_its_header():
    found = parse_sites(b"link,url,team,partner,keep\nl1,https://a.example/go?btag=1,aurora,P01,btag\n", HERE)
    assert found.kind is TargetKind.LINK
    assert found.sites == (
        {"link": "l1", "url": "https://a.example/go?btag=1", "team": "aurora", "partner": "P01", "keep": "btag"},
    )
