from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.parsers.charset import decode

FRENCH = "Le café du théâtre a été rénové, où l'élève déjà reçu préfère être " * 3
RUSSIAN = "Лучшие онлайн казино с быстрым выводом и честной игрой для всех игроков " * 3
CHINESE = "最新的在线娱乐场排名和优惠活动，请在这里查看我们的评价和建议" * 3

CASES = {
    "bom beats the header": (b"\xef\xbb\xbf" + FRENCH.encode(), "text/html; charset=latin-1", FRENCH),
    "utf-16 by its mark": (FRENCH.encode("utf-16"), "", FRENCH),
    "header": (FRENCH.encode("latin-1"), "text/html; charset=ISO-8859-1", FRENCH),
    "header in quotes": (RUSSIAN.encode("cp1251"), 'text/html; charset="windows-1251"', RUSSIAN),
    "meta": (
        b"<meta charset=windows-1251>" + RUSSIAN.encode("cp1251"),
        "text/html",
        "<meta charset=windows-1251>" + RUSSIAN,
    ),
    "gb2312 is read as its superset": (CHINESE.encode("gbk"), "text/html; charset=gb2312", CHINESE),
    "utf-8 that calls itself latin-1": (FRENCH.encode(), "text/html; charset=iso-8859-1", FRENCH),
    "nothing said, utf-8": (RUSSIAN.encode(), "", RUSSIAN),
    "nothing said, latin-1": (FRENCH.encode("latin-1"), "", FRENCH),
    "nothing said, cp1251": (RUSSIAN.encode("cp1251"), "", RUSSIAN),
    "nothing said, koi8-r": (RUSSIAN.encode("koi8-r"), "", RUSSIAN),
    "nothing said, gbk": (CHINESE.encode("gbk"), "", CHINESE),
    "says utf-8, is cp1251": (RUSSIAN.encode("cp1251"), "text/html; charset=utf-8", RUSSIAN),
    "a label that is no charset of the web": (FRENCH.encode("latin-1"), "text/html; charset=rot13", FRENCH),
    "a label that does not exist": (FRENCH.encode("latin-1"), "text/html; charset=martian", FRENCH),
}


@pytest.mark.parametrize(("body", "content_type", "text"), CASES.values(), ids=CASES.keys())
def test_the_charset_is_right_before_anything_is_read(body, content_type, text):
    assert decode(body, content_type)[0] == text


def test_a_few_broken_bytes_leave_a_page_utf8():
    body = (RUSSIAN + "x").encode() + b"\xff\xfe " + RUSSIAN.encode()
    text, charset = decode(body, "text/html; charset=utf-8")
    assert charset == "utf-8"
    assert text.startswith(RUSSIAN)


@given(st.binary(max_size=400), st.text(max_size=40))
def test_no_bytes_and_no_header_raise(body, header):
    text, charset = decode(body, header)
    assert isinstance(text, str)
    assert charset
