"""Every colour of losswatch. Colour means state and nothing else; a healthy screen is nearly monochrome.

Roles are the only names other modules know. One is drawn by the theme that is on: ours, a colour-blind variant,
or the terminal's own sixteen colours, where weight and reverse carry what colour cannot.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.style import Style
from textual.theme import Theme

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours one theme of ours is made of."""

    text: str
    dim: str
    rule: str
    background: str
    raised: str
    cursor: str
    bad: str
    warn: str
    need: str
    focus: str
    filled: str = "#4b5e77"


_CALM = Palette(
    text="#c3cad5", dim="#7f8a99", rule="#465060", background="#0e1116", raised="#161b22", cursor="#202c3b",
    bad="#ff6f66", warn="#e3b341", need="#d08bff", focus="#6cb6ff",
)  # fmt: skip
_RED_GREEN = Palette(
    text="#c3cad5", dim="#7f8a99", rule="#465060", background="#0e1116", raised="#161b22", cursor="#202c3b",
    bad="#ff9433", warn="#f2e085", need="#c9a2ff", focus="#58a9ff",
)  # fmt: skip
_BLUE_YELLOW = Palette(
    text="#c3cad5", dim="#828a93", rule="#4b5057", background="#101112", raised="#181a1c", cursor="#2a2e33",
    bad="#ff5d5d", warn="#f5b8c4", need="#e58bd8", focus="#4fd1c5",
)  # fmt: skip
PALETTES = {"losswatch": _CALM, "losswatch-deuteranopia": _RED_GREEN, "losswatch-tritanopia": _BLUE_YELLOW}
ANSI = "ansi-dark"


def themes() -> list[Theme]:
    """Our themes for Textual; the sixteen-colour one is Textual's `ansi-dark`."""
    return [
        Theme(
            name=name, primary=p.focus, secondary=p.dim, accent=p.focus, foreground=p.text, background=p.background,
            surface=p.raised, panel=p.raised, boost=p.cursor, warning=p.warn, error=p.bad, success=p.dim, dark=True,
        )
        for name, p in PALETTES.items()
    ]  # fmt: skip


def styles(theme: str, variables: Mapping[str, str]) -> dict[str, Style]:
    """One Rich style a role, background left to the widget; unknown themes are served from their own variables."""
    if theme.startswith("ansi"):
        return _ansi()
    palette = PALETTES.get(theme) or _foreign(variables)
    return _painted(palette)


def layered(styles: Mapping[str, Style], theme: str, role: str) -> Style:
    """The style of `role+over`: one role on top of another, which sixteen colours have no room for."""
    base, _, over = role.partition("+")
    below = Style() if over and theme.startswith("ansi") else styles.get(base, Style())
    return below + styles.get(over, Style())


def _painted(p: Palette) -> dict[str, Style]:
    return {
        "": Style(color=p.text),
        "dim": Style(color=p.dim),
        "bad": Style(color=p.bad),
        "warn": Style(color=p.warn),
        "need": Style(color=p.need),
        "focus": Style(color=p.focus, bold=True),
        "strong": Style(color=p.text, bold=True),
        "where": Style(color=p.text, bold=True),
        "rule": Style(color=p.rule),
        "title": Style(color=p.dim),
        "head": Style(color=p.dim),
        "cursor": Style(bgcolor=p.cursor, bold=True),
        "money": Style(color=p.bad, bold=True),
        "band": Style(color=p.dim),
        "actual": Style(color=p.filled),
        "loss": Style(color=p.bad),
    }


def _ansi() -> dict[str, Style]:
    return {
        "": Style(),
        "dim": Style(dim=True),
        "bad": Style(color="red", bold=True),
        "warn": Style(color="yellow"),
        "need": Style(color="magenta", bold=True),
        "focus": Style(color="cyan", bold=True),
        "strong": Style(bold=True),
        "where": Style(bold=True),
        "rule": Style(dim=True),
        "title": Style(),
        "head": Style(dim=True),
        "cursor": Style(reverse=True),
        "money": Style(color="red", bold=True),
        "band": Style(dim=True),
        "actual": Style(),
        "loss": Style(color="red"),
    }


def _foreign(variables: Mapping[str, str]) -> Palette:
    """A palette from another theme's variables, so that `theme nord` works too."""

    def colour(*names: str) -> str:
        found = (variables.get(name, "") for name in names)
        return next((value for value in found if value.startswith("#")), "#c3cad5")

    return Palette(
        text=colour("foreground"), dim=colour("foreground-darken-3", "foreground"), rule=colour("panel", "surface"),
        background=colour("background"), raised=colour("surface"), cursor=colour("panel", "surface"),
        bad=colour("error"), warn=colour("warning"), need=colour("secondary"), focus=colour("accent", "primary"),
    )  # fmt: skip


def fitting(color_system: str | None, wanted: str = "") -> str:
    """The theme to start with: what was asked for, else sixteen colours where the terminal has no more."""
    if wanted:
        return wanted
    few = color_system not in {"256", "truecolor"}
    return ANSI if few or "NO_COLOR" in os.environ else "losswatch"
