from __future__ import annotations

import gzip
import resource
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.config.importing import MAX_BYTES, Imported, parse_sites, read_sites, sites_of_urls
from data.config.table import is_name
from data.errors import ConfigError

NS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def sitemap(*urls: str) -> bytes:
    entries = "".join(f"<url><loc>\n {url} </loc><lastmod>2026-01-01</lastmod></url>" for url in urls)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset {NS}>{entries}</urlset>'.encode()


def index(*urls: str) -> bytes:
    entries = "".join(f"<sitemap><loc>{url}</loc></sitemap>" for url in urls)
    return f"<sitemapindex {NS}>{entries}</sitemapindex>".encode()


def named(imported: Imported) -> list[tuple[str, str]]:
    return [(site["site"], site["url"]) for site in imported.sites]


def test_a_sitemap_gives_one_site_a_location(tmp_path):
    path = tmp_path / "sitemap.xml"
    path.write_bytes(sitemap("https://www.casino.example/", "https://casino.example/bonus/de?x=1&amp;y=2"))
    assert named(read_sites(path)) == [
        ("casino.example", "https://www.casino.example/"),
        ("casino.example/bonus/de/x-1-y-2", "https://casino.example/bonus/de?x=1&y=2"),
    ]


def test_a_packed_sitemap_is_unpacked(tmp_path):
    path = tmp_path / "sitemap.xml.gz"
    path.write_bytes(gzip.compress(sitemap("https://a.example/")))
    assert named(read_sites(path)) == [("a.example", "https://a.example/")]


def test_an_index_is_followed_to_the_files_beside_it(tmp_path):
    (tmp_path / "one.xml").write_bytes(sitemap("https://a.example/"))
    (tmp_path / "two.xml.gz").write_bytes(gzip.compress(sitemap("https://b.example/")))
    path = tmp_path / "index.xml"
    path.write_bytes(index("https://a.example/maps/one.xml", "https://a.example/two.xml.gz"))
    assert [url for _, url in named(read_sites(path))] == ["https://a.example/", "https://b.example/"]


@pytest.mark.parametrize(
    "location", ["https://a.example/absent.xml", "../secret.xml", "https://a.example/index.xml", ""]
)
def test_an_index_never_leads_out_of_its_folder_nor_back_to_itself(tmp_path, location):
    (tmp_path / "secret.xml").write_bytes(sitemap("https://secret.example/"))
    folder = tmp_path / "maps"
    folder.mkdir()
    (folder / "index.xml").write_bytes(index(location))
    with pytest.raises(ConfigError, match=r"is an index; put .* beside it"):
        read_sites(folder / "index.xml")


def test_an_index_of_indexes_is_not_followed(tmp_path):
    (tmp_path / "inner.xml").write_bytes(index("https://a.example/inner2.xml"))
    (tmp_path / "index.xml").write_bytes(index("https://a.example/inner.xml"))
    with pytest.raises(ConfigError, match="is not a sitemap"):
        read_sites(tmp_path / "index.xml")


ENTITIES = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><urlset><url><loc>&a;</loc></url></urlset>'
LAUGHS = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><urlset><loc>&b;</loc></urlset>'


@pytest.mark.parametrize("raw", [ENTITIES, LAUGHS, b"<!DOCTYPE html><html></html>"])
def test_a_document_type_is_refused_before_any_entity_is_looked_at(tmp_path, raw):
    path = tmp_path / "sitemap.xml"
    path.write_bytes(raw)
    with pytest.raises(ConfigError, match="document type"):
        read_sites(path)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"<urlset><url>", "is no XML that can be read"),
        (b"<html><loc>https://a.example/</loc></html>", "is not a sitemap (got '<html>'"),
        (b"<", "is no XML that can be read"),
        (b"", "holds no URL"),
        (b"# only a comment\n", "holds no URL"),
        (b"\x1f\x8bnot gzip", "is no gzip file"),
        (b"caf\xe9", "is not UTF-8"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(tmp_path, raw, words):
    with pytest.raises(ConfigError) as caught:
        parse_sites(raw, tmp_path / "x")
    assert words in str(caught.value)


def test_a_bomb_is_not_unpacked_beyond_what_a_sitemap_may_have(tmp_path):
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    bomb = b"".join([*(packer.compress(b"\0" * 1_000_000) for _ in range(1_000)), packer.flush()])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ConfigError, match="is too large"):
        parse_sites(bomb, tmp_path / "x")
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown < 4 * MAX_BYTES


def test_a_deep_document_does_not_hurt(tmp_path):
    raw = b"<urlset>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</urlset>"
    assert parse_sites(raw, tmp_path / "x").sites == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://a.example/\nhttps://b.example/x\n", [("a.example", "https://a.example/"), ("b.example/x", "https://b.example/x")]),
        ("a.example\nb.example/path\n", [("a.example", "https://a.example"), ("b.example/path", "https://b.example/path")]),
        ("https://a.example/\nhttps://a.example/\n", [("a.example", "https://a.example/")]),
        ("https://a.example/\nhttp://a.example/\n", [("a.example", "https://a.example/"), ("a.example~2", "http://a.example/")]),
        ("Site;URL\nfirst;https://a.example/\n", [("first", "https://a.example/")]),
        ('id,loc\n"x, y","https://a.example/?a=1,2"\n', [("x-y", "https://a.example/?a=1,2")]),
        ("domain\ta\na.example\t1\n", [("a.example", "https://a.example")]),
        ("\ufeffurl\r\nhttps://a.example/\r\n", [("a.example", "https://a.example/")]),
    ],
)  # fmt: skip
def test_lists_and_tables_of_people_are_understood(tmp_path, text, expected):
    assert named(parse_sites(text.encode(), tmp_path / "x")) == expected


def test_columns_of_the_inventory_are_kept_and_others_dropped(tmp_path):
    text = "url,team,tier,owner\nhttps://a.example/,Nord,1,somebody\n"
    assert parse_sites(text.encode(), tmp_path / "x").sites == (
        {"url": "https://a.example/", "team": "Nord", "tier": "1", "site": "a.example"},
    )


def test_what_cannot_be_watched_is_left_out_and_told():
    imported = sites_of_urls(["https://a.example/", "javascript:alert(1)", "ftp://b.example", "\x1b[31m"])
    assert len(imported.sites) == 1
    assert [line.partition(" ")[0] for line in imported.skipped] == [
        "'javascript:alert(1)'",
        "'ftp://b.example'",
        "'␛[31m'",
    ]


@given(st.lists(st.text(max_size=30), max_size=8))
def test_whatever_is_typed_every_site_has_a_usable_name_of_its_own(texts):
    imported = sites_of_urls(f"https://host.example/{text}" for text in texts)
    names = [site["site"] for site in imported.sites]
    assert len(set(names)) == len(names)
    assert all(is_name(name) for name in names)


def test_equal_names_become_distinct():
    imported = sites_of_urls(f"https://a.example/?{'=' * count}" for count in range(1_900))
    assert len({site["site"] for site in imported.sites}) == 1_900
