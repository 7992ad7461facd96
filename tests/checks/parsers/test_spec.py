from __future__ import annotations

import pytest

from checks.parsers.spec import FieldKind, load_spec, parse_spec
from data.errors import ConfigError

GOOD = '[parser]\nname = "x"\nitems = "li"\n[parser.fields.title]\ncss = "h3"\n'


def test_a_spec_is_read_with_its_defaults():
    spec = parse_spec(
        GOOD + '[parser.fields.pos]\ncss = ""\nattr = "data-n"\ntype = "position"\nmany = true\nrequired = true\n'
    )
    title, position = spec.fields
    assert (spec.name, spec.items, spec.min_items) == ("x", "li", 0)
    assert (title.css, title.attr, title.kind, title.many, title.required) == ("h3", "", FieldKind.TEXT, False, None)
    assert (position.css, position.attr, position.kind, position.required) == ("", "data-n", FieldKind.POSITION, True)


BAD = {
    "no toml": ("[parser\n", 1, "", ""),
    "no parser": ('[other]\nname = "x"\n', 1, "other", ""),
    "no fields": ('[parser]\nname = "x"\n', None, "", ""),
    "empty fields": ("[parser]\n[parser.fields]\n", 1, "", ""),
    "unknown key": ('[parser]\nitms = "li"\n[parser.fields.a]\ncss = "a"\n', 2, "itms", "items"),
    "unknown field key": ('[parser]\n[parser.fields.a]\ncss = "a"\nattrib = "href"\n', 4, "attrib", "attr"),
    "unknown type": ('[parser]\n[parser.fields.a]\ncss = "a"\ntype = "numbr"\n', 4, "numbr", "number"),
    "broken css": ('[parser]\n[parser.fields.a]\ncss = "a[["\n', 3, "a[[", ""),
    "scrapy css": ('[parser]\n[parser.fields.a]\ncss = "a::attr(href)"\n', 3, "a::attr(href)", ""),
    "css is a list": ('[parser]\n[parser.fields.a]\ncss = ["a"]\n', 3, "['a']", ""),
    "neither css nor items": ("[parser]\n[parser.fields.a]\nmany = true\n", 2, "", ""),
    "many is a word": ('[parser]\n[parser.fields.a]\ncss = "a"\nmany = "yes"\n', 4, "yes", ""),
    "negative minimum": ('[parser]\nmin_items = -1\n[parser.fields.a]\ncss = "a"\n', 2, "-1", ""),
    "field is a string": ('[parser]\n[parser.fields]\na = "h3"\n', None, "", ""),
}


@pytest.mark.parametrize(("text", "line", "value", "nearest"), BAD.values(), ids=BAD.keys())
def test_a_bad_spec_names_line_value_and_nearest(text, line, value, nearest):
    with pytest.raises(ConfigError) as raised:
        parse_spec(text, "bad.toml")
    problem = raised.value
    assert (problem.value, problem.nearest) == (value, nearest)
    assert line is None or problem.line == line
    assert str(problem).startswith("bad.toml")


def test_a_spec_that_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(ConfigError, match="cannot read this SPEC"):
        load_spec(tmp_path / "none.toml")


def test_the_fingerprint_follows_what_is_extracted_and_not_the_name():
    renamed = parse_spec(GOOD.replace('"x"', '"y"'))
    assert renamed.fingerprint == parse_spec(GOOD).fingerprint
    assert parse_spec(GOOD.replace("h3", "h2")).fingerprint != renamed.fingerprint
