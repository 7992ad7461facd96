"""Whose word counts where an account's conversions are told in several ways. Pure.

What is pushed wins: who pushes knows sites and offers. Else postbacks tell at once and the report has the last word. The option
`facts` of a feed decides otherwise, for its whole account: `report` leaves postbacks out, `postback` reports; `pushed` keeps
this one feed out of the facts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.feeds import preset as presets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.config.settings import Feed

AUTO, REPORT, POSTBACK, PUSHED = MODES = ("auto", "report", "postback", "pushed")
REPORTS, CALLS = frozenset({"http", "folder"}), "push"
"""Sources of presets that are reports, and the one that is calls."""


def is_report(feed: Feed) -> bool:
    return presets.sources().get(feed.preset) in REPORTS


def is_calls(feed: Feed) -> bool:
    return presets.sources().get(feed.preset) == CALLS


def of_partners(feeds: Sequence[Feed]) -> list[str]:
    """Names of the feeds whose facts come from partners; what all others tell is our own."""
    return [one.name for one in feeds if is_report(one) or is_calls(one)]


def calls_beside(feed: Feed, feeds: Sequence[Feed]) -> list[str]:
    """Names of the feeds by which the same partner calls the same team."""
    return [one.name for one in feeds if _account(one) == _account(feed) and is_calls(one)]


def tells(feed: Feed, feeds: Sequence[Feed], *, pushed: bool) -> bool:
    """Whether a feed's figures are facts; `pushed` where somebody else pushes its account's conversions.

    Of several reports that read one login of one platform the first tells.
    """
    mode = _mode(feed, feeds)
    if pushed or mode == PUSHED:
        return False
    if is_calls(feed):
        return mode != REPORT
    return is_report(feed) and mode != POSTBACK and _first(feed, feeds)


def _mode(feed: Feed, feeds: Sequence[Feed]) -> str:
    own = feed.options.get("facts", AUTO)
    if own != AUTO:
        return own
    said = (one.options.get("facts", AUTO) for one in feeds if _account(one) == _account(feed))
    return next((mode for mode in said if mode in {REPORT, POSTBACK}), AUTO)


def _first(feed: Feed, feeds: Sequence[Feed]) -> bool:
    same = (
        one for one in feeds if _login(one) == _login(feed) and is_report(one) and one.options.get("facts") != PUSHED
    )
    return next((one.name == feed.name for one in same), True)


def _account(feed: Feed) -> tuple[str, str]:
    return feed.partner, feed.team


def _login(feed: Feed) -> tuple[str, ...]:
    return feed.partner, feed.team, feed.base_url, feed.path, feed.account, feed.secret
