"""Redirect maps: on files with every kind of line, and on a real nginx."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.incidents.plans.redirects import Redirects, rewritten, values
from checks.incidents.plans.way import PlanRefused, PlanStuck

MAP = """\
# go links of the company; keep sorted
default            https://www.example/;

/go/lumenjack      https://lumenjack.example/play?btag=1;   # P02
  /go/quillspin\thttps://quillspin.example/;
hostnames;
"""
NEW = {"/go/lumenjack": "https://ostrel.example/live?btag=9"}


def redirects(path, sets=NEW, reload=(), allowed=()):
    return Redirects(path, sets, reload, allowed)


@pytest.fixture
def place(tmp_path):
    path = tmp_path / "go.map"
    path.write_text(MAP)
    path.chmod(0o640)
    return path


async def test_a_look_shows_each_line_before_and_after_and_touches_nothing(place):
    sight = await redirects(place, NEW | {"/go/new": "https://new.example/"}).look()
    assert sight.before == ("/go/lumenjack https://lumenjack.example/play?btag=1;", "/go/new: no line")
    assert sight.after == ("/go/lumenjack https://ostrel.example/live?btag=9;", "/go/new https://new.example/;")
    assert not sight.is_done
    assert place.read_text() == MAP


async def test_only_the_named_lines_change_and_all_come_back(place):
    way = redirects(place, NEW | {"/go/new": "https://new.example/"})
    sight = await way.look()
    await way.apply(sight)
    assert place.read_text() == MAP.replace("https://lumenjack.example/play?btag=1", NEW["/go/lumenjack"]) + (
        "/go/new https://new.example/;\n"
    )
    assert place.stat().st_mode & 0o777 == 0o640
    assert (await way.look()).is_done
    await way.revert(sight.undo)
    assert place.read_text() == MAP
    await way.revert(sight.undo)
    assert place.read_text() == MAP


async def test_what_somebody_changed_between_look_and_apply_is_not_overwritten(place):
    way = redirects(place)
    sight = await way.look()
    place.write_text(MAP.replace("lumenjack.example/play", "lumenjack.example/other"))
    with pytest.raises(PlanRefused, match="changed by somebody else"):
        await way.apply(sight)


async def test_what_somebody_changed_since_is_left_when_the_plan_is_taken_back(place):
    way = redirects(place, NEW | {"/go/quillspin": "https://hold.example/"})
    sight = await way.look()
    await way.apply(sight)
    place.write_text(place.read_text().replace(NEW["/go/lumenjack"], "https://third.example/"))
    with pytest.raises(PlanStuck, match="/go/lumenjack was changed by somebody else"):
        await way.revert(sight.undo)
    assert values(place.read_text())["/go/quillspin"] == "https://quillspin.example/"
    assert values(place.read_text())["/go/lumenjack"] == "https://third.example/"


async def test_a_link_to_the_file_stays_a_link(place, tmp_path):
    alias = tmp_path / "enabled.map"
    alias.symlink_to(place)
    way = redirects(alias)
    await way.apply(await way.look())
    assert alias.is_symlink()
    assert NEW["/go/lumenjack"] in place.read_text()


@pytest.mark.parametrize("make", [lambda path: path.unlink(), lambda path: path.write_bytes(b"\xff\xfe\x00")])
async def test_a_file_that_cannot_be_read_refuses(place, make):
    make(place)
    with pytest.raises(PlanRefused, match=r"go\.map cannot be read"):
        await redirects(place).look()


async def test_a_server_that_refuses_the_file_gets_the_old_one_back(place):
    way = redirects(place, reload=("/bin/false",), allowed=("/bin/false",))
    with pytest.raises(PlanStuck, match="does not reload"):
        await way.apply(await way.look())
    assert place.read_text() == MAP


WORD = st.text("abc/.:?&=-_", min_size=1, max_size=8)
LINE = st.one_of(
    st.builds("{}  {};".format, WORD, WORD),
    st.just("# note"),
    st.just(""),
    st.just("include x.map;"),
    st.text("ab ;#\t"),
)


@given(st.lists(LINE, max_size=8), st.dictionaries(WORD, WORD, min_size=1, max_size=3))
def test_setting_and_taking_back_leaves_the_same_values_and_all_other_lines(lines, sets):
    text = "\n".join(lines)
    was = values(text)
    now = rewritten(text, sets)
    assert {key: values(now)[key] for key in sets} == sets
    back = rewritten(now, {key: was.get(key, "") for key in sets})
    assert values(back) == was


NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
CONFIG = """
{user} worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off; map_hash_bucket_size 256;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  map $uri $go {{ include {folder}/go.map; }}
  server {{ listen 127.0.0.1:{port}; return 302 $go; }}
}}
"""


@pytest.fixture
def nginx(tmp_path, place):
    if NGINX is None:
        pytest.skip("nginx is not installed: apt-get install nginx-light")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place.write_text(MAP.replace("hostnames;\n", ""))
    user = "user root;" if os.geteuid() == 0 else ""
    (tmp_path / "nginx.conf").write_text(CONFIG.format(user=user, folder=tmp_path, port=port))
    command = (NGINX, "-c", str(tmp_path / "nginx.conf"), "-e", str(tmp_path / "error.log"))
    subprocess.run(command, check=True, capture_output=True)
    yield f"http://127.0.0.1:{port}/go/lumenjack", (*command, "-s", "reload")
    subprocess.run((*command, "-s", "stop"), check=True, capture_output=True)


def lands(url, there):
    """Old workers answer for a moment after a reload."""
    until = time.monotonic() + 10
    while (found := httpx.get(url, trust_env=False).headers["location"]) != there and time.monotonic() < until:
        time.sleep(0.02)
    return found == there


async def test_a_real_nginx_sends_people_elsewhere_and_back(nginx, place):
    url, reload = nginx
    assert lands(url, "https://lumenjack.example/play?btag=1")
    way = redirects(place, reload=reload, allowed=reload[:1])
    sight = await way.look()
    await way.apply(sight)
    assert lands(url, NEW["/go/lumenjack"])
    await way.revert(sight.undo)
    assert lands(url, "https://lumenjack.example/play?btag=1")


async def test_a_real_nginx_that_cannot_reload_goes_on_with_the_old_map(nginx, place, tmp_path):
    url, reload = nginx
    before = place.read_text()
    (tmp_path / "nginx.conf").write_text("this is no configuration {")
    way = redirects(place, reload=reload, allowed=reload[:1])
    with pytest.raises(PlanStuck, match="does not reload"):
        await way.apply(await way.look())
    assert place.read_text() == before
    assert lands(url, "https://lumenjack.example/play?btag=1")
    (tmp_path / "nginx.conf").write_text(
        CONFIG.format(
            user="user root;" if os.geteuid() == 0 else "", folder=tmp_path, port=url.split(":")[2].split("/")[0]
        )
    )
