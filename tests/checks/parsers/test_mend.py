from __future__ import annotations

import pytest

from checks.parsers.mend import apply_repair, undo
from checks.parsers.spec import load_spec
from data.errors import ConfigError

TEXT = """\
# the search parser
[parser]
name = "serp"   # its name
items = 'div.result'  # each

[parser.fields.url]
attr = "href"
css = "a"  # the link
type = "url"

[parser.fields."the title"]
# found by its heading
css = "h3 # no comment"

[parser.fields.whole]
required = false
"""


@pytest.fixture
def spec_path(tmp_path):
    path = tmp_path / "serp.toml"
    path.write_text(TEXT.replace(" # no comment", ""))
    return path


def version(path, number):
    return path.with_name(f"serp.toml.{number}")


@pytest.mark.parametrize(
    ("field", "selector", "was", "old", "new"),
    [
        ("url", "a.go", "a", 'css = "a"  # the link', 'css = "a.go"  # the link'),
        ("items", "section.card", "div.result", "items = 'div.result'  # each", 'items = "section.card"  # each'),
        ("the title", 'b[itemprop="name"]', "h3", 'css = "h3"', "css = 'b[itemprop=\"name\"]'"),
        ("whole", "p", "", "[parser.fields.whole]\n", '[parser.fields.whole]\ncss = "p"\n'),
    ],
)
def test_one_value_changes_and_nothing_else(spec_path, field, selector, was, old, new):
    before = spec_path.read_text()
    assert apply_repair(spec_path, field, selector) == was
    assert spec_path.read_text() == before.replace(old, new)
    assert version(spec_path, 1).read_text() == before


def test_undo_goes_back_step_by_step_and_then_says_that_there_is_nothing(spec_path):
    texts = [spec_path.read_text()]
    for number in range(7):
        apply_repair(spec_path, "url", f"a.v{'x' * number}")
        texts.append(spec_path.read_text())
    assert not version(spec_path, 6).exists()
    for text in texts[-2:-7:-1]:
        undo(spec_path)
        assert spec_path.read_text() == text
    with pytest.raises(ConfigError, match="nothing to undo"):
        undo(spec_path)


@pytest.mark.parametrize("selector", ["", "a[", "a::text", "a\x1b[2J", "a\nb", "a" * 501])
def test_what_is_no_selector_is_never_written(spec_path, selector):
    before = spec_path.read_text()
    with pytest.raises(ConfigError):
        apply_repair(spec_path, "url", selector)
    assert spec_path.read_text() == before
    assert not version(spec_path, 1).exists()


def test_an_unknown_field_is_named(spec_path):
    with pytest.raises(ConfigError, match=r"no such field.*'price'.*url, the title"):
        apply_repair(spec_path, "price", "b")


@pytest.mark.parametrize(
    "text",
    [
        '[parser]\nfields.url.css = "a"\n',
        '[parser.fields]\nurl.css = "a"\n',
        '[parser]\n[ parser . fields . "url" ]\r\ncss="a"\r\n',
    ],
)
def test_dotted_keys_are_understood(tmp_path, text):
    path = tmp_path / "serp.toml"
    path.write_bytes(text.encode())
    assert apply_repair(path, "url", "b") == "a"
    assert path.read_bytes().decode() == text.replace('"a"', '"b"')


def test_a_spec_written_in_an_odd_way_is_left_alone(tmp_path):
    path = tmp_path / "serp.toml"
    path.write_text('[parser]\nfields = { url = { css = "a" } }\n')
    with pytest.raises(ConfigError, match="by hand"):
        apply_repair(path, "url", "b")
    assert load_spec(path).fields[0].css == "a"


def test_a_link_to_a_spec_stays_a_link_and_rights_stay(spec_path, tmp_path):
    spec_path.chmod(0o640)
    link = tmp_path / "link.toml"
    link.symlink_to(spec_path)
    apply_repair(link, "url", "b")
    assert link.is_symlink()
    assert load_spec(spec_path).fields[0].css == "b"
    assert {spec_path.stat().st_mode & 0o777, version(spec_path, 1).stat().st_mode & 0o777} == {0o640}


def test_a_file_that_is_gone_is_a_sentence(tmp_path):
    with pytest.raises(ConfigError, match="cannot read this SPEC"):
        apply_repair(tmp_path / "none.toml", "url", "b")


def test_a_new_item_is_written_with_its_fields_or_not_at_all(spec_path):
    before = spec_path.read_text()
    with pytest.raises(ConfigError):
        apply_repair(spec_path, "url", "a.new", {"url": "a.newer", "none": "b"})
    assert spec_path.read_text() == before
    apply_repair(spec_path, "items", "article", {"url": "a.new"})
    written = load_spec(spec_path)
    assert (written.items, next(one.css for one in written.fields if one.name == "url")) == ("article", "a.new")
    undo(spec_path)
    assert spec_path.read_text() == before
