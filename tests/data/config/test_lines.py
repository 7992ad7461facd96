from __future__ import annotations

import json
import tomllib

from hypothesis import given
from hypothesis import strategies as st

from data.config.lines import index_lines

TEXT = '''\
# a comment [not.a.table]
title = "[company]"   # = 5
[company]
name = """
[hub]
probes = 3
"""
"quoted key" = 'x = 1'
list = [
  "a", # comment ]
  { b = 1, c = "]" },
]
after = 1
[[feeds]]
name = "one"
[feeds.options]
x = 1
[[feeds]]
name = "two"
options.y = 2
[[feeds.more]]
z = 1
[[feeds.more]]
z = 2
'''


def test_every_key_of_a_tricky_text_has_its_line():
    lines = index_lines(TEXT)
    assert tomllib.loads(TEXT)
    expected = {
        ("title",): 2,
        ("company",): 3,
        ("company", "name"): 4,
        ("company", "quoted key"): 8,
        ("company", "list"): 9,
        ("company", "after"): 13,
        ("feeds", 0, "name"): 15,
        ("feeds", 0, "options", "x"): 17,
        ("feeds", 1): 18,
        ("feeds", 1, "name"): 19,
        ("feeds", 1, "options", "y"): 20,
        ("feeds", 1, "more", 0, "z"): 22,
        ("feeds", 1, "more", 1, "z"): 24,
    }
    assert {path: lines.line(path) for path in expected} == expected


def test_an_unknown_path_gets_the_line_of_the_table_above_it():
    lines = index_lines(TEXT)
    assert lines.line(("feeds", 1, "absent")) == 18
    assert lines.line(("nothing",)) is None


def test_windows_line_ends_count_once():
    assert index_lines("a = 1\r\n[b]\r\nc = 2\r\n").line(("b", "c")) == 3


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"])), min_size=1, max_size=20))
def test_no_value_hides_the_lines_after_it(values):
    text = "".join(f"k{index} = {json.dumps(value, ensure_ascii=False)}\n" for index, value in enumerate(values))
    assert list(tomllib.loads(text).values()) == values
    lines = index_lines(text)
    assert [lines.line((f"k{index}",)) for index in range(len(values))] == list(range(1, len(values) + 1))
