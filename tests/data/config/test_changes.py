from __future__ import annotations

import os
from dataclasses import replace

from data.config.diff import Changed, Difference, difference
from data.config.watch import stamps
from data.model.target import Expect, Target, TargetKind, target_id


def site(name: str, **more) -> Target:
    return Target(target_id(TargetKind.SITE, name), TargetKind.SITE, "aurora", name, **more)


def test_equal_configurations_do_not_differ():
    assert difference([site("a")], [site("a")]) == Difference()
    assert not difference([site("a")], [site("a")])
    assert Difference().summary() == ("nothing changed",)


def test_a_difference_says_what_came_went_and_changed():
    kept = site("kept", interval_s=60)
    found = difference([site("gone"), kept], [replace(kept, interval_s=120, expect=Expect(text=("x",))), site("new")])
    assert [target.name for target in found.added] == ["new"]
    assert [target.name for target in found.removed] == ["gone"]
    (changed,) = found.changed
    assert isinstance(changed, Changed)
    assert changed.fields == ("interval_s", "expect")


def test_slices_come_from_facts_and_are_never_removed_by_a_file():
    slice_target = Target(target_id(TargetKind.SLICE, "partner=P01"), TargetKind.SLICE, "aurora", "partner=P01")
    assert not difference([slice_target], [])


def test_the_summary_counts_by_kind_and_names_the_first_few():
    before = [site(f"old-{index}") for index in range(7)]
    after = [replace(before[0], tier=1), *(site(f"new-{index}") for index in range(2))]
    assert difference(before, after).summary() == (
        "+ 2 sites new: new-0, new-1",
        "− 6 sites gone: old-1, old-2, old-3, old-4, old-5 and 1 more",
        "~ 1 site changed (tier of 1): old-0",
    )


def test_a_stamp_changes_with_every_file_that_matters_and_with_nothing_else(company):
    (company.home.config / "spec.toml").write_text("[parser]")
    company.csv("parsers.csv", "parser,url,team,spec\np,https://p.example/,aurora,spec.toml\n")
    settings = company.load()
    before = stamps(company.home, settings)
    (company.home.config / "notes.txt").write_text("nothing to do with it")
    assert stamps(company.home, settings) == before
    seen = {before}
    company.csv("sites.csv", "site,url,team\n")
    seen.add(stamps(company.home, settings))
    (company.home.config / "spec.toml").write_text("[parser]\nname = 'x'")
    seen.add(stamps(company.home, settings))
    (company.home.inventory / "sites.csv").unlink()
    seen.add(stamps(company.home, settings))
    company.home.toml.unlink()
    seen.add(stamps(company.home, settings))
    assert len(seen) == 5


def test_a_file_rewritten_with_the_same_size_is_noticed_by_its_time(company):
    before = stamps(company.home)
    found = company.home.toml.stat()
    os.utime(company.home.toml, ns=(found.st_atime_ns, found.st_mtime_ns + 1))
    assert stamps(company.home) != before
