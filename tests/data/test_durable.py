from __future__ import annotations

import os

import pytest

from data.durable import replace_file, replace_text


@pytest.fixture
def file(tmp_path):
    made = tmp_path / "kept"
    made.write_bytes(b"old")
    return made


def test_a_file_is_replaced_as_a_whole_with_nothing_left_beside_it(file):
    reader = file.open("rb")
    replace_file(file, b"new")
    with reader:
        assert reader.read() == b"old"
    assert file.read_bytes() == b"new"
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("mode", [0o600, 0o640])
def test_it_is_closed_to_others_from_its_first_byte(tmp_path, monkeypatch, mode):
    seen, whole = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (seen.append(os.fstat(fd).st_mode & 0o777), whole(fd)))
    before = os.umask(0)
    try:
        replace_file(tmp_path / "key", b"secret", mode)
    finally:
        os.umask(before)
    assert seen[0] == (tmp_path / "key").stat().st_mode & 0o777 == mode


def test_on_a_disk_that_fails_what_stood_there_stands(file, monkeypatch):
    def full(_fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        replace_file(file, b"new")
    assert file.read_bytes() == b"old"
    assert list(file.parent.iterdir()) == [file]


def test_a_link_laid_where_it_is_written_leads_nowhere(file, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / f".kept.{os.getpid()}.new").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        replace_file(file, b"new")
    assert (victim.read_text(), file.read_bytes()) == ("mine", b"old")


def test_a_text_that_people_write_is_kept_once_more(file):
    replace_text(file, "new\n")
    replace_text(file, "newer\n")
    assert (file.read_text(), file.with_name("kept.bak").read_text()) == ("newer\n", "new\n")


@pytest.mark.parametrize("mode", [0o600, 0o660, 0o644])
def test_whoever_may_read_and_write_a_text_may_go_on_to(file, mode):
    file.chmod(mode)
    before = os.umask(0o027)
    try:
        replace_text(file, "new\n")
    finally:
        os.umask(before)
    assert file.stat().st_mode & 0o777 == mode


def test_a_file_that_is_a_link_stays_one_and_keeps_its_mode(tmp_path):
    kept, link = tmp_path / "kept" / "losswatch.toml", tmp_path / "losswatch.toml"
    kept.parent.mkdir()
    kept.write_text("old")
    kept.chmod(0o640)
    link.symlink_to(kept)
    before = os.umask(0o077)
    try:
        replace_text(link, "new")
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
    replace_text(file, "new")
    assert (file.read_text(), victim.read_text()) == ("new", "mine")


def test_what_is_no_file_is_written_to(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        replace_text(pipe, "new")
        assert os.read(reader, 9) == b"new"
    finally:
        os.close(reader)
    assert list(tmp_path.iterdir()) == [pipe]
