"""Every kind of change losswatch names: its usual severity, the cause of the finding, what it means. Data, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.model.cause import cause

if TYPE_CHECKING:
    from data.model.ids import CauseId

BREAKING, RISKY, HARMLESS = "breaking", "risky", "harmless"
SEVERITIES = (BREAKING, RISKY, HARMLESS)
"""Worst first."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the table. `severity` is what it has on a path that is read for money; elsewhere it is milder."""

    name: str
    cause: CauseId
    severity: str
    words: str
    oasdiff: bool = False
    """The name is a rule of oasdiff's checks for responses and endpoints."""


def _kind(name: str, why: str, severity: str, words: str) -> Kind:
    oasdiff = name.startswith("response-") or name == "endpoint-deprecated"
    return Kind(name, cause(why), severity, words, oasdiff)


_ALL = (
    _kind("response-required-property-removed", "feed.contract", BREAKING, "a field that nearly every record had is gone"),
    _kind("response-optional-property-removed", "feed.contract", RISKY, "a field that some records had is gone"),
    _kind("response-required-property-added", "feed.contract", HARMLESS, "a new field, in nearly every record"),
    _kind("response-optional-property-added", "feed.contract", HARMLESS, "a new field, in some records"),
    _kind("response-property-type-changed", "feed.contract", BREAKING, "values of a type the field never had"),
    _kind("response-property-became-optional", "feed.contract", RISKY, "records lack a field that all had"),
    _kind("response-property-became-nullable", "feed.contract", RISKY, "nulls where there were none"),
    _kind("response-property-enum-value-added", "feed.contract", RISKY, "a word outside a closed set"),
    _kind("payload-unreadable", "feed.contract", BREAKING, "no report at all: another format, cut short, nothing"),
    _kind("key-repeated", "feed.contract", BREAKING, "a key stands twice in one object, with different values"),
    _kind("records-not-objects", "feed.contract", BREAKING, "elements of the list of records that are none"),
    _kind("row-width-differs", "feed.contract", RISKY, "rows of a table with more or fewer cells than its header"),
    _kind("column-name-repeated", "feed.contract", RISKY, "two columns of one name"),
    _kind("charset-not-utf8", "feed.contract", HARMLESS, "letters that had to be guessed"),
    _kind("number-out-of-range", "feed.contract", BREAKING, "numbers beyond 1e300"),
    _kind("fields-beyond-limit", "feed.contract", RISKY, "more than 4,000 different fields: the rest is not compared"),
    _kind("endpoint-deprecated", "feed.deprecated", RISKY, "a header announces the end, or the end has passed"),
    _kind("field-renamed", "feed.contract", BREAKING, "gone under one name, there under another, with equal values"),
    _kind("null-share-rose", "feed.contract", RISKY, "more nulls and empties than chance gives"),
    _kind("zero-share-rose", "feed.contract", RISKY, "more zeros than chance gives"),
    _kind("value-unreadable", "feed.contract", RISKY, "values that are no figures"),
    _kind("date-format-changed", "feed.contract", BREAKING, "dates that a reader of the usual form cannot read"),
    _kind("number-format-changed", "feed.contract", BREAKING, "numbers that a reader of the usual form cannot read"),
    _kind("day-month-swapped", "feed.contract", BREAKING, "dates are in place only with day and month the other way round"),
    _kind("fractions-vanished", "feed.scale", RISKY, "money that had cents is whole: rounded, or counted in cents"),
    _kind("scale-changed", "feed.scale", BREAKING, "money moved by a power of ten, what stands beside it did not"),
    _kind("currency-switched", "feed.scale", BREAKING, "another currency's code, or values moved by a currency's rate"),
    _kind("timezone-shifted", "feed.timezone", BREAKING, "the hours of the day moved together"),
    _kind("rows-vanished", "feed.contract", BREAKING, "no rows, or a day with figures is left out"),
    _kind("paging-truncated", "feed.paging", BREAKING, "a full page and nothing after it, or fewer rows than announced"),
    _kind("pages-overlap", "feed.paging", BREAKING, "pages repeat records of one another"),
    _kind("key-duplicates", "feed.paging", RISKY, "records share a key that was unique"),
    _kind("history-restated", "feed.restated", RISKY, "settled days were lowered beyond what is usual"),
    _kind("credential-expires", "feed.auth", RISKY, "a token or key ends soon, or has ended"),
    _kind("ratio-shifted", "feed.contract", RISKY, "two figures that move together parted"),
    _kind("clicks-unmatched", "feed.contract", RISKY, "the partner counts another share of our clicks than usual"),
    _kind("funnel-impossible", "feed.contract", RISKY, "more of a later step than of the step before it"),
    _kind("deal-changed", "feed.contract", RISKY, "commission is no multiple of the CPA, or no longer the agreed share"),
    _kind("totals-mismatched", "feed.paging", BREAKING, "rows do not add up to the report's own totals"),
    _kind("net-revenue-negative", "feed.contract", HARMLESS, "players won more than a usual day brings: a note for finance"),
    _kind("invoice-mismatched", "feed.restated", RISKY, "the days of a month do not add up to its invoice"),
    _kind("postbacks-unmatched", "feed.contract", RISKY, "postbacks and the API count different events"),
)  # fmt: skip
KINDS = {kind.name: kind for kind in _ALL}
