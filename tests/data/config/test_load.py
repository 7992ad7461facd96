from __future__ import annotations

from datetime import UTC, datetime

import pytest

from data.config.load import load
from data.config.problems import ConfigErrors
from data.config.settings import EdgeSignature, User, Vantage
from data.model.target import Expect, Target, TargetKind

FULL = """
[company]
name = "Corvane Media"
currency = "EUR"
[hub]
probes = 1
keep_observations = "2d"
min_free = "1GB"
[network]
canaries = ["http://canary-1.example:8080/"]
resolver = "127.0.0.1:5301"
ca_file = "ca.pem"
[clock]
sim_start = 2026-11-17T06:00:00Z
wall_start = 2026-11-22T13:00:00+01:00
speed = 90.0
[defaults.site]
interval = "60m"
slow = "2s"
tier1 = "2m"
tier2 = "15m"
[[teams]]
id = "aurora"
name = "Aurora"
focus = "SEO casino, Nordics and DACH"
[[users]]
account = "maria"
role = "senior"
teams = ["aurora"]
[[users]]
account = "1001"
role = "admin"
teams = ["*"]
[[partners]]
id = "P01"
name = "Quillspin"
epc = 2.77
timezone = "Europe/Malta"
report_lag = "20m"
[[feeds]]
name = "p01-quillspin"
team = "aurora"
partner = "P01"
preset = "affilka"
base_url = "http://affiliates.quillspin.example:8091/"
secret = "quillspin-token"
account = "4711"
interval = "15m"
days = 3
[feeds.options]
currency = "EUR"
unit = 100
strict = true
[[vantages]]
country = "de"
proxy = "socks5://user:word@127.0.0.1:8099"
[[edges]]
name = "Halyard Edge"
header = "X-Halyard-Ray"
"""


@pytest.fixture
def full(company):
    company.toml(FULL)
    (company.home.config / "ca.pem").write_text("PEM")
    (company.home.config / "spec.toml").write_text("[parser]")
    company.csv(
        "sites.csv",
        "site,url,team,tier,geo,project,interval,expect,forbid,status,slow,paused\n"
        "a-1,https://a-1.example/,aurora,1,de,Kestrel,,Bonus;Casino,404,200;204,500ms,\n"
        "a-2,https://a-2.example/,aurora,,,,7m,,,,,yes\n",
    )
    company.csv(
        "links.csv",
        "link,url,team,site,partner,offer,geo,final_host,keep\n"
        "l-1,https://go.a.example/x,aurora,a-1,P01,main offer,DE,QuillSpin.example,sub;tid\n",
    )
    company.csv("parsers.csv", "parser,url,team,spec\np-1,https://serp.example/?q=x,aurora,spec.toml\n")
    return company.load()


def test_a_full_configuration_is_read_as_it_stands(full):
    assert full.company.name == "Corvane Media"
    assert full.hub.keep_observations == 172_800
    assert full.hub.min_free_bytes == 10**9
    assert full.network.canaries == ("http://canary-1.example:8080/",)
    assert full.clock.wall_start == datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert full.users == (User("maria", "senior", ("aurora",)), User("1001", "admin", ("*",)))
    assert full.partners[0].report_lag_s == 1200
    assert full.feeds[0].options == {"currency": "EUR", "unit": "100", "strict": "true"}
    assert full.vantages == (Vantage("DE", "socks5://user:word@127.0.0.1:8099", "DE"),)
    assert full.edges == (EdgeSignature("Halyard Edge", "x-halyard-ray"),)


def test_a_site_has_what_its_row_says_and_the_defaults_of_its_tier(full):
    first, second = (target for target in full.targets if target.kind is TargetKind.SITE)
    assert first == Target(
        id="site:a-1",
        kind=TargetKind.SITE,
        team="aurora",
        name="a-1",
        url="https://a-1.example/",
        site="a-1",
        geo="DE",
        tier=1,
        project="Kestrel",
        interval_s=120,
        expect=Expect(status=(200, 204), text=("Bonus", "Casino"), forbid=("404",), slow_ms=500),
    )
    assert (second.tier, second.interval_s, second.paused, second.expect) == (3, 420, True, Expect(slow_ms=2000))


def test_links_and_parsers_come_with_their_references(full):
    link, parser = (target for target in full.targets if target.kind in {TargetKind.LINK, TargetKind.PARSER})
    assert (link.id, link.site, link.partner, link.offer) == ("link:l-1", "a-1", "P01", "main offer")
    assert link.expect == Expect(final_host="quillspin.example", keep=("sub", "tid"))
    assert (parser.id, parser.spec, parser.interval_s) == ("parser:p-1", "spec.toml", 900)


def test_a_feed_is_a_target_without_its_secret(full):
    feed = next(target for target in full.targets if target.kind is TargetKind.FEED)
    assert (feed.id, feed.spec, feed.partner, feed.interval_s) == ("feed:p01-quillspin", "affilka", "P01", 900)
    assert feed.url == "http://affiliates.quillspin.example:8091"


def test_a_link_copied_with_its_token_is_refused_without_being_repeated(company):
    company.toml(FEED.replace("https://p.example", "https://p.example/statistics/preset?token=hunter2hunter2&from=1"))
    with pytest.raises(ConfigErrors) as raised:
        company.load()
    assert "its token in the keyring" in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_an_empty_file_is_a_company_without_anything(company):
    company.toml("")
    settings = company.load()
    assert (settings.targets, settings.teams, settings.clock) == ((), (), None)


FEED = '[[feeds]]\nname = "f"\nteam = "aurora"\npartner = "P01"\npreset = "affilka"\nbase_url = "https://p.example"\n'
BAD_TOML = [
    ('[company]\nnmae = "x"', 7, ["unknown key in company", "'nmae'", "did you mean 'name'?"]),
    ("[compnay]", 6, ["unknown table", "'compnay'", "did you mean 'company'?"]),
    ("frobnicate = 1", 6, ["unknown key in partners", "'frobnicate'"]),
    ("[company]\nname = 3", 7, ["company.name is a number", "got '3'", "a text in quotes"]),
    ("[company]\ncurrency = 'euro'", 7, ["not a currency", "'euro'", "EUR"]),
    ("[company]\ntimezone = 'Europe/Berln'", 7, ["not a time zone", "did you mean 'Europe/Berlin'?"]),
    ("[hub]\nprobes = '1'", 7, ["hub.probes is a text", "a whole number"]),
    ("[hub]\nprobes = true", 7, ["hub.probes is a true or false"]),
    ("[hub]\nprobes = -1", 7, ["out of range", "got '-1'", "0 to 256"]),
    ("[hub]\nkeep_rollups = '5'", 7, ["not a duration", "got '5'", '"5m"']),
    ("[hub]\nkeep_rollups = 5", 7, ["is a number", '"5m"']),
    ("[hub]\nkeep_rollups = '1s'", 7, ["is too short"]),
    ("[hub]\nkeep_rollups = '99999d'", 7, ["is too long"]),
    ("[hub]\nmin_free = 'lots'", 7, ["not a size", '"200MB"']),
    ("[hub]\nencrypt = 'yes'", 7, ["is a text", "true or false"]),
    ("[network]\ncanaries = 'http://x.example'", 7, ["network.canaries is a text", "a list of texts"]),
    ("[network]\ncanaries = [\n  'ftp://x.example',\n]", 7, ["does not start with http://", "ftp://x.example"]),
    ("[network]\nresolver = '127.0.0.1'", 7, ["has no port"]),
    ("[network]\nresolver = '127.0.0.1:99999'", 7, ["has no port"]),
    ("[network]\nca_file = 'absent.pem'", 7, ["names no file"]),
    ('[network]\nca_file = "a\\u0000b"', 7, ["ca_file"]),
    ("[clock]\nsim_start = 2026-11-17T06:00:00\nwall_start = 2026-11-17T06:00:00Z", 7, ["has no time zone"]),
    ("[clock]\nspeed = 2.0", 6, ["clock lacks 'sim_start'"]),
    ("[clock]\nsim_start = '2026'\nwall_start = 2026-11-17T06:00:00Z", 7, ["is a text", "2026-11-17T06:00:00Z"]),
    ("[defaults.sites]", 6, ["unknown table in defaults", "did you mean 'site'?"]),
    ("[defaults.site]\ntier4 = '1m'", 7, ["'tier4'", "did you mean"]),
    ("[[teams]]\nid = 'aurora'", 7, ["teams.id is used twice", "'aurora'"]),
    ("[[teams]]\nname = 'x'", 6, ["teams lacks 'id'"]),
    ("[[teams]]\nid = '*'", 7, ["is kept for every team"]),
    ("[[teams]]\nid = 'a b'", 7, ["not a usable name", "'a b'"]),
    ("[[teams]]\nid = 'a\\u202eb'".replace("'", '"'), 7, ["not a usable name"]),
    ("[[users]]\naccount = 'm'\nrole = 'snior'", 8, ["no known role", "did you mean 'senior'?"]),
    ("[[users]]\naccount = 'm'\nrole = 'lead'\nteams = ['arora']", 9, ["no known team", "did you mean 'aurora'?"]),
    ("[users]\nmaria = 1", 6, ["users is a table", "under [[users]]"]),
    ("[[partners]]\nid = 'P02'\nepc = nan", 8, ["out of range", "'nan'"]),
    ("[[partners]]\nid = 'P02'\nepc = '2'", 8, ["is a text", "a number"]),
    (FEED.replace("affilka", "afilka"), 10, ["no known preset", "did you mean 'affilka'?"]),
    (FEED.replace("P01", "P99"), 9, ["no known partner", "'P99'"]),
    (FEED.replace('"aurora"', '"auora"'), 8, ["no known team", "did you mean 'aurora'?"]),
    (FEED.replace("https://p.example", "p.example"), 11, ["does not start with http://"]),
    (FEED.replace("https://p.example", "https://me:hunter2@p.example"), 11, ["belong in the keyring"]),
    (FEED + "days = 0", 12, ["out of range"]),
    (FEED + "[feeds.options]\nx = [1]", 12, ["holds 'x'", "not a plain value"]),
    (FEED + FEED, 13, ["feeds.name is used twice"]),
    ("[[vantages]]\ncountry = 'Germany'\nproxy = 'http://127.0.0.1:1'", 7, ["not a country code", "'Germany'"]),
    ("[[vantages]]\ncountry = 'DE'\nproxy = 'ssh://127.0.0.1:1'", 8, ["does not start with http://"]),
    ("[[vantages]]\ncountry = 'DE'\nproxy = 'http://127.0.0.1'", 8, ["names no port"]),
    ("[[vantages]]\nname = 'x'\ncountry = 'DE'\nproxy = 'http://h:1'\n" * 2, 11, ["vantages.name is used twice"]),
    ("[[vantages]]\nname = 'a b/c'\ncountry = 'DE'\nproxy = 'http://h:1'", 7, ["not a usable name"]),
    ("[[edges]]\nname = 'E'\nheader = 'a b'", 8, ["not the name of a header"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "parts"), BAD_TOML, ids=[str(index) for index in range(len(BAD_TOML))])
def test_a_mistake_in_the_toml_is_told_with_its_line_and_the_way_out(company, text, line, parts):
    company.toml('[[teams]]\nid = "aurora"\n[[partners]]\nid = "P01"\n\n' + text)
    complaints = company.complaints()
    told = [complaint for complaint in complaints if all(part in complaint for part in parts)]
    assert told, complaints
    assert told[0].startswith(f"losswatch.toml:{line}: "), told
    assert "hunter2" not in told[0]


BROKEN_TOML = [
    (b"[company\n", "losswatch.toml:1: is not TOML: expected ']'"),
    (b"x = [\n1,\n", "losswatch.toml:2: is not TOML"),
    (b"[a]\nx = 1\nx = 2\n", "losswatch.toml:3: is not TOML: cannot overwrite"),
    (b"# caf\xe9\n", "losswatch.toml:1: is not UTF-8 (byte 0xe9)"),
    (b"a = 1\n# \0\n", "losswatch.toml:2: holds a NUL byte"),
    ("a = 1".encode("utf-16"), "losswatch.toml:1: is UTF-16"),
    (b"x = " + b"9" * 5000, "losswatch.toml: is nested too deeply or holds a number that is too long"),
    (b"x = " + b"[" * 20_000, "losswatch.toml: is nested too deeply"),
    (b"x = '" + b"a" * 5_000_000 + b"'", "losswatch.toml: is too large: 5,000,006 bytes"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "start"), BROKEN_TOML, ids=[str(index) for index in range(len(BROKEN_TOML))])
def test_a_file_that_is_no_toml_is_told_in_one_sentence(company, raw, start):
    company.toml(raw)
    (complaint,) = company.complaints()
    assert complaint.startswith(start)


def test_a_byte_order_mark_and_windows_line_ends_are_fine(company):
    company.toml(b'\xef\xbb\xbf[[teams]]\r\nid = "aurora"\r\n')
    company.csv("sites.csv", b"\xef\xbb\xbfsite,url,team\r\na,https://a.example/,aurora\r\n")
    assert [target.id for target in company.load().targets] == ["site:a"]


def test_no_file_at_all_says_how_to_begin(company):
    company.home.toml.unlink()
    assert company.complaints() == ["losswatch.toml: does not exist. Start with: losswatch init"]


def test_a_directory_in_place_of_the_file_is_a_sentence(company):
    company.home.toml.unlink()
    company.home.toml.mkdir()
    assert company.complaints() == ["losswatch.toml: is a directory"]


def test_all_problems_are_told_at_once_by_file_and_line(company):
    company.toml('[company]\nnmae = "x"\n[[teams]]\nid = "aurora"\n[hub]\nprobes = -1\n')
    company.csv("sites.csv", "site,url,team\na,b,aurora\n")
    company.csv("links.csv", "link,url,team\na,https://a.example,arora\n")
    assert [complaint.partition(": ")[0] for complaint in company.complaints()] == [
        "inventory/links.csv:2",
        "inventory/sites.csv:2",
        "losswatch.toml:2",
        "losswatch.toml:6",
    ]


def test_the_error_is_a_configuration_error_with_its_parts(company):
    company.toml("[company]\nnmae = 1\n")
    with pytest.raises(ConfigErrors) as caught:
        load(company.home)
    error = caught.value
    assert (error.exit_code, error.count, error.line, error.nearest) == (64, 1, 2, "name")
    assert error.problems[0].file == company.home.toml
