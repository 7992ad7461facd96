"""Uptime Kuma's backup: one JSON with `monitorList`."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from data.config.importing.cells import COLUMNS
from data.config.importing.documents import read_json, tables, text_of
from data.config.units import format_duration
from data.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from data.config.importing.imported import Collector

_WEB = frozenset({"http", "keyword", "json-query", "real-browser"})
_RANGE = re.compile(r"([1-5]\d\d)(?:-([1-5]\d\d))?", re.ASCII)
_SECRETS = ("basic_auth_user", "basic_auth_pass", "oauth_client_secret", "tlsKey", "bearer_token", "authMethod")
_DEFAULT_REDIRECTS = 10


def collect(path: Path, raw: bytes, into: Collector) -> None:
    """Every monitor of a web page; the others are told. Raises `ConfigError`."""
    document = read_json(path, raw)
    if not isinstance(document, dict) or not isinstance(document.get("monitorList"), list):
        raise ConfigError(path, None, "is no backup of Uptime Kuma", allowed="a JSON with 'monitorList'")
    for monitor in tables(document["monitorList"]):
        _monitor(monitor, into)
    if document.get("notificationList"):
        into.note("notifications are not carried over", "the backup")
    if document.get("proxyList"):
        into.note("proxies are not carried over: they become [[vantages]] of a country", "the backup")


def _monitor(monitor: dict[str, Any], into: Collector) -> None:
    name, kind = text_of(monitor.get("name")), text_of(monitor.get("type"))
    url = text_of(monitor.get("url"))
    if kind not in _WEB:
        into.skip(name or url, f"is a monitor of type {kind or 'none'}, which is no web page")
    elif (method := text_of(monitor.get("method")) or "GET").upper() not in {"GET", "HEAD"}:
        into.skip(name or url, f"sends {method}; losswatch only reads pages")
    elif monitor.get("upsideDown"):
        into.skip(name or url, "is up when it fails (upside down), which losswatch cannot expect")
    elif taken := into.add(url, name, _cells(monitor)):
        _tell(monitor, kind, taken, into)


def _cells(monitor: dict[str, Any]) -> dict[str, str]:
    cells = {}
    for tag in tables(monitor.get("tags")):
        column = text_of(tag.get("name")).lower()
        if column in COLUMNS_OF_TAGS:
            cells[column] = text_of(tag.get("value"))
    interval = monitor.get("interval")
    if isinstance(interval, int | float) and 0 < interval < 4e7:
        cells["interval"] = format_duration(interval)
    if statuses := _statuses(monitor.get("accepted_statuscodes")):
        cells["status"] = statuses
    keyword = text_of(monitor.get("keyword")).replace(";", " ").strip()
    if keyword and monitor.get("type") == "keyword":
        column = "forbid" if monitor.get("invertKeyword") else "expect"
        cells[column] = ";".join(filter(None, (keyword, cells.get(column, ""))))
    if "active" in monitor and not monitor["active"]:
        cells["paused"] = "yes"
    return cells


COLUMNS_OF_TAGS = frozenset(column for columns in COLUMNS.values() for column in columns) - {"url", "link"}
"""Tags of these names are taken for columns: so an export comes back."""


def _statuses(codes: object) -> str:
    """Statuses as the inventory lists them; of a range those that HTTP has registered. 2xx alone is what is expected anyway."""
    ranges = [found for code in codes if (found := _RANGE.fullmatch(text_of(code)))] if isinstance(codes, list) else []
    spans = [(int(found[1]), int(found[2] or found[1])) for found in ranges]
    if spans in ([], [(200, 299)]):
        return ""
    single = {low for low, high in spans if low == high}
    known = {int(status) for status in HTTPStatus if any(low <= status <= high for low, high in spans if low < high)}
    return ";".join(map(str, sorted(single | known)))


def _tell(monitor: dict[str, Any], kind: str, name: str, into: Collector) -> None:
    if any(monitor.get(key) for key in _SECRETS):
        into.note("credentials are not carried over; they belong in the keyring: losswatch secrets set", name)
    if monitor.get("headers") or monitor.get("body"):
        into.note("headers and bodies of requests are not sent by losswatch", name)
    if kind == "json-query":
        into.note("the JSON query is not carried over; its page is watched for its status", name)
    if kind == "real-browser":
        into.note("no browser is run; the page is watched as it is delivered", name)
    if monitor.get("ignoreTls"):
        into.note("certificate errors were ignored and will be told", name)
    if monitor.get("maxredirects", _DEFAULT_REDIRECTS) != _DEFAULT_REDIRECTS:
        into.note("its limit of redirects is not carried over; losswatch follows ten", name)
    if monitor.get("timeout") not in {None, 0, 10, 48}:
        into.note("its timeout is not carried over; it is set for all under [defaults.site]", name)
    if len(text_of(monitor.get("keyword")).split(";")) > 1 and kind == "keyword":
        into.note("a semicolon in the keyword became a space", name)
