from __future__ import annotations

import os

import pytest

from data.config.editing import with_feed_options, write
from data.errors import ConfigError, UsageError

TEXT = '[[feeds]]\nname = "acme"  # ours\npreset = "json"\n\n[feeds.options]\nday = "d"\n'


def test_options_of_one_feed_change_and_comments_stay():
    told = with_feed_options(TEXT, "acme", {"revenue": "amount", "day": ""})
    assert told == '[[feeds]]\nname = "acme"  # ours\npreset = "json"\n\n[feeds.options]\nrevenue = "amount"\n'


def test_a_feed_that_is_not_there_and_a_file_that_is_no_toml_are_named():
    with pytest.raises(UsageError, match="no feed 'other'"):
        with_feed_options(TEXT, "other", {"day": "x"})
    with pytest.raises(ConfigError, match="not valid TOML"):
        with_feed_options("[[feeds]", "acme", {})


def test_a_file_that_is_a_link_stays_one_and_keeps_its_mode(tmp_path):
    kept, link = tmp_path / "kept" / "losswatch.toml", tmp_path / "losswatch.toml"
    kept.parent.mkdir()
    kept.write_text("old")
    kept.chmod(0o640)
    link.symlink_to(kept)
    before = os.umask(0o077)
    try:
        write(link, "new")
    finally:
        os.umask(before)
    assert link.is_symlink()
    assert (kept.read_text(), kept.with_name("losswatch.toml.bak").read_text()) == ("new", "old")
    assert kept.stat().st_mode & 0o777 == 0o640


def test_a_link_laid_where_the_draft_was_once_written_is_not_followed(tmp_path):
    file, victim = tmp_path / "losswatch.toml", tmp_path / "victim"
    file.write_text("old")
    victim.write_text("mine")
    for name in (f"{file.name}.new", f"{file.name}.bak.new"):
        (tmp_path / name).symlink_to(victim)
    write(file, "new")
    assert (file.read_text(), victim.read_text()) == ("new", "mine")
