"""Rules and labels: first match, continue, depth first, and the same answers as Alertmanager's own tool."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.incidents.notify.labels import LabelBook
from checks.incidents.notify.mutes import covers, muted_by
from checks.incidents.notify.routes import chosen, group_key
from data.config.notifying import Route
from data.model.incident import Finding, Severity
from data.model.notice import Mute
from data.model.target import TargetKind
from tests.checks.incidents.notify.play import at, incident, labels_of

ROOT = Route(to=("root",), place="root")
SIMPLE = labels_of(incident(cause="edge.error"), partners=frozenset({"P05"}), geos=frozenset({"DE"}))
SHARED = labels_of(incident(teams=("aurora", "cedar"), team="*"), geos=frozenset({"DE", "SE"}))


def rule(name, *inner, **conditions):
    return Route(to=(name,), place=name, routes=inner, **conditions)


@pytest.mark.parametrize(
    ("routes", "labels", "names"),
    [
        ((), SIMPLE, ["root"]),
        ((rule("a", causes=("edge.error",)),), SIMPLE, ["a"]),
        ((rule("a", causes=("edge",)),), SIMPLE, ["a"]),
        ((rule("a", causes=("edge.refused",)),), SIMPLE, ["root"]),
        ((rule("a", causes=("link", "edge")),), SIMPLE, ["a"]),
        ((rule("a"), rule("b")), SIMPLE, ["a"]),
        ((rule("a", goes_on=True), rule("b")), SIMPLE, ["a", "b"]),
        ((rule("a", goes_on=True), rule("b", teams=("cedar",))), SIMPLE, ["a"]),
        ((rule("a", rule("inner")),), SIMPLE, ["inner"]),
        ((rule("a", rule("inner", geos=("SE",))),), SIMPLE, ["a"]),
        ((rule("a", rule("one", goes_on=True), rule("two")), rule("b")), SIMPLE, ["one", "two"]),
        ((rule("a", rule("one"), goes_on=True), rule("b")), SIMPLE, ["one", "b"]),
        ((rule("a", geos=("SE",)),), SHARED, ["a"]),
        ((rule("a", teams=("cedar",)),), SHARED, ["a"]),
        ((rule("a", partners=("P05",), geos=("SE",)),), SIMPLE, ["root"]),
        ((rule("a", partners=("P05",)),), labels_of(incident()), ["root"]),
        ((rule("a", severities=(Severity.SEV1,)),), SIMPLE, ["root"]),
        ((rule("a", severities=(Severity.SEV1, Severity.SEV3)),), SIMPLE, ["a"]),
        ((rule("a", projects=("kestrel",)),), replace(SIMPLE, projects=frozenset({"kestrel"})), ["a"]),
    ],
)
def test_the_rules_that_apply(routes, labels, names):
    assert [one.place for one in chosen(replace(ROOT, routes=routes), labels)] == names


def test_a_group_is_the_rule_and_the_labels_asked_for():
    assert group_key(rule("a", group_by=("geo", "cause")), SHARED) == "a geo=DE+SE cause=edge.error"
    assert group_key(rule("a", group_by=()), SHARED) == "a"
    assert group_key(rule("a", group_by=("partner",)), SHARED) == "a partner="


def test_labels_are_gathered_from_findings_and_their_targets():
    book = LabelBook({"site:a": "kestrel"}.get)
    for name, geo in (("site:a", "DE"), ("site:b", "SE"), ("site:b", "")):
        labels = {"partner": "P05", "geo": geo} if geo else {}
        book.take(
            Finding(
                f"{name}@x", name, "aurora", TargetKind.SITE, "edge.error", at(0), at(0), fingerprint=labels, incident=1
            )
        )
    found = book.of(incident(1))
    assert (found.partners, found.geos, found.projects) == ({"P05"}, {"DE", "SE"}, {"kestrel"})
    assert found.shown() == {"partner": "P05", "geo": "DE,SE", "project": "kestrel"}
    book.forget(1)
    assert book.of(incident(1)).partners == frozenset()


def mute(teams=("*",), **matchers):
    return Mute("m", teams, matchers, "why", "ana", at(0), at(100))


@pytest.mark.parametrize(
    ("one", "labels", "hides"),
    [
        (mute(cause="edge"), SIMPLE, True),
        (mute(cause="edge.error", partner="P05"), SIMPLE, True),
        (mute(cause="edge.error", partner="P06"), SIMPLE, False),
        (mute(incident="1"), SIMPLE, True),
        (mute(incident="2"), SIMPLE, False),
        (mute(geo="SE"), SHARED, True),
        (mute(project=""), SIMPLE, False),
        (mute(), SIMPLE, False),
        (mute(("aurora",), cause="edge"), SIMPLE, True),
        # whoever sees one team cannot silence another
        (mute(("aurora",), cause="edge"), SHARED, False),
    ],
)
def test_what_a_mute_hides(one, labels, hides):
    assert covers(one, labels) is hides


def test_a_mute_has_a_beginning_and_an_end():
    one = mute(cause="edge")
    assert [muted_by([one], SIMPLE, at(second)) is one for second in (-1, 0, 99, 100)] == [False, True, True, False]


# ── Alertmanager's own tool as an oracle ─────────────────────────────────────────────────────────────────────────

AMTOOL = shutil.which("amtool")
LABELS = {"cause": ["edge.error", "edge.refused", "link.inactive"], "team": ["aurora", "cedar"], "geo": ["DE", "SE"]}


@st.composite
def trees(draw, depth=0):
    conditions = {}
    if draw(st.booleans()):
        conditions["causes"] = tuple(
            draw(st.sets(st.sampled_from(["edge", "link.inactive", "edge.refused"]), min_size=1))
        )
    if draw(st.booleans()):
        conditions["teams"] = (draw(st.sampled_from(LABELS["team"])),)
    if draw(st.booleans()):
        conditions["geos"] = (draw(st.sampled_from(LABELS["geo"])),)
    inner = draw(st.lists(trees(depth + 1), max_size=3)) if depth < 2 else []
    name = f"r{draw(st.integers(0, 10**6))}"
    return Route(to=(name,), place=name, routes=tuple(inner), goes_on=draw(st.booleans()), **conditions)


def written(route, indent="  "):
    lines = [f"{indent}receiver: {route.place}", f"{indent}continue: {str(route.goes_on).lower()}"]
    lines = lines[:1] if route.place == "root" else lines
    asked = [("cause", "|".join(c.replace(".", "\\\\.") if "." in c else f"{c}\\\\..*" for c in route.causes))]
    asked += [("team", "|".join(route.teams)), ("geo", "|".join(route.geos))]
    matchers = [f"{indent}  - '{label}=~\"{values}\"'" for label, values in asked if values]
    if matchers:
        lines += [f"{indent}matchers:", *matchers]
    if route.routes:
        lines.append(f"{indent}routes:")
        for inner in route.routes:
            body = written(inner, indent + "    ")
            lines += [f"{indent}  - {body[0].strip()}", *body[1:]]
    return lines


def names_in(route):
    return [route.place, *(name for inner in route.routes for name in names_in(inner))]


@pytest.mark.skipif(AMTOOL is None, reason="amtool is not installed (Debian: prometheus-alertmanager)")
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.lists(trees(), min_size=1, max_size=4), st.fixed_dictionaries({k: st.sampled_from(v) for k, v in LABELS.items()})
)
def test_route_trees_are_read_as_alertmanager_reads_them(tmp_path_factory, inner, labels):
    root = replace(ROOT, routes=tuple(inner))
    receivers = "".join(f"  - name: {name}\n" for name in sorted(set(names_in(root))))
    file = tmp_path_factory.getbasetemp() / "alertmanager.yml"
    file.write_text("route:\n" + "\n".join(written(root)) + "\nreceivers:\n" + receivers)
    asked = [f"{name}={value}" for name, value in labels.items()]
    ran = subprocess.run(
        [AMTOOL, "config", "routes", "test", f"--config.file={file}", *asked],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    one = incident(cause=labels["cause"], team=labels["team"], teams=(labels["team"],))
    ours = [route.place for route in chosen(root, labels_of(one, geos=frozenset({labels["geo"]})))]
    assert ran.stdout.strip().split(",") == ours
