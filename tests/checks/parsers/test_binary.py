from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from random import Random

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from checks.parsers.page import read_page
from checks.parsers.verdict import judge

WORDS = b"words and more words of a page " * 50


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("page.html", WORDS)
    return file.getvalue()


FILES = {
    "a PNG image": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "a JPEG image": b"\xff\xd8\xff\xe0\0\x10JFIF\0",
    "a GIF image": b"GIF89a\1\0\1\0",
    "a WebP image": b"RIFF\x24\0\0\0WEBPVP8 ",
    "an AVIF image": b"\0\0\0\x20ftypavif",
    "an MP4 video": b"\0\0\0\x18ftypisom",
    "a PDF document": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj <</Type /Catalog>>",
    "a ZIP archive": zipped(),
    "a gzip archive": gzip.compress(WORDS),
    "a bzip2 archive": bz2.compress(WORDS),
    "an xz archive": lzma.compress(WORDS),
    "a zstd archive": zstandard.compress(WORDS),
    "a program": b"\x7fELF\2\1\1\0",
    "a font": b"wOF2\0\1\0\0",
    "an icon": b"\0\0\1\0\1\0\x10\x10",
    "binary data": Random(3).randbytes(50_000),
}


@pytest.mark.parametrize(("what", "body"), FILES.items(), ids=FILES.keys())
def test_a_file_that_is_no_page_is_named_whatever_its_label_says(what, body, spec, learned):
    verdict = judge(spec, read_page(body, content_type="text/html; charset=utf-8"), learned)
    assert (verdict.state, verdict.cause) == ("failing", "proto.malformed")
    assert verdict.detail == f"page refused: {what}, not a page"


@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "cp1251", "iso2022_jp", "gb18030"])
def test_a_page_is_a_page_in_any_charset(charset, spec):
    text = "<html><meta charset=" + charset + "><div class=result><h3>Казино и бонус</h3><p>和文</p></div>" * 200
    body = text.encode(charset, "ignore")
    assert not read_page(body).fault
    assert not read_page(body, content_type=f"text/html; charset={charset}").fault


@pytest.mark.parametrize("charset", ["utf-16-le", "utf-16-be"])
def test_wide_text_that_nobody_announced_is_read(charset, spec, search_page, learned):
    page = read_page(search_page(10).replace(b"Result", "Größe Ж".encode()).decode().encode(charset))
    assert page.charset == charset
    assert judge(spec, page, learned).state == "ok"


def test_a_page_with_some_control_characters_is_read(spec, search_page, learned):
    body = search_page(10).replace(b"words", b"wo\0r\x0bds")
    assert judge(spec, read_page(body), learned).state == "ok"


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=400))
def test_no_text_is_taken_for_binary_data(text):
    assert "not a page" not in read_page(f"<p>{text}".encode()).fault
