"""`[[parents]]`: whose failure accounts for that of others; circles and names that are none are refused with their line."""

from __future__ import annotations

import pytest

from data.config.parents import Parent

BASE = '[[teams]]\nid = "aurora"\n[[partners]]\nid = "P01"\n'
SITES = "site,url,team\n" + "".join(f"{name},http://{name}.example/,aurora\n" for name in ("kiel", "kiel-2", "bonn"))
FIRST = BASE.count("\n") + 1


@pytest.fixture
def house(company):
    company.csv("sites.csv", SITES)

    def told(*tables):
        company.toml(BASE + "".join(f"[[parents]]\n{table}\n" for table in tables))
        return company

    return told


def over(parent, child, more=""):
    return f'parent = "site:{parent}"\nchild = "{child}"{more}'


def test_a_parent_is_over_what_its_pattern_names_and_never_over_itself(house):
    (made,) = house(over("kiel", "site:kiel*", '\nreason = "one rack"')).load().parents
    assert made == Parent("site:kiel", "site:kiel*", "one rack")
    assert [made.is_over(f"site:{name}") for name in ("kiel", "kiel-2", "bonn")] == [False, True, False]


def test_slices_may_be_children_before_any_fact_has_come(house):
    assert len(house(over("kiel", "slice:site=kiel")).load().parents) == 1


@pytest.mark.parametrize(
    ("tables", "line", "words"),
    [
        ([over("keil", "site:bonn")], 1, "kiel"),
        ([over("kiel", "site:born")], 2, "names no target beside its parent"),
        ([over("kiel", "site:kiel")], 2, "names no target beside its parent"),
        ([over("kiel", "site:bonn"), over("bonn", "site:kiel")], 1, "stands in a circle"),
        ([over("kiel", "site:bonn"), over("bonn", "site:kiel-2"), over("kiel-2", "site:k*")], 1, "stands in a circle"),
        ([over("kiel", "site:*"), over("bonn", "site:*")], 1, "stands in a circle"),
        (["child = 'site:bonn'"], 0, "parent"),
        ([over("kiel", "site:bonn", "\nparents = 1")], 3, "parents"),
    ],
    ids=[
        "a misspelt parent", "a misspelt child", "nobody but itself", "a circle of two", "a circle of three", "all over all",
        "no parent", "an unknown key",
    ],
)  # fmt: skip
def test_what_holds_nothing_back_or_goes_in_circles_is_refused_with_its_line(house, tables, line, words):
    told = "\n".join(house(*tables).complaints())
    assert words in told
    assert f"losswatch.toml:{FIRST + line}" in told or not line


def test_a_chain_that_ends_is_no_circle(house):
    assert len(house(over("kiel", "site:bonn"), over("bonn", "site:kiel-2")).load().parents) == 2
