"""Every cause losswatch can name: its state, its words, whose it is and what to do first. Data, in one place."""

from __future__ import annotations

from dataclasses import dataclass

from data.model.ids import CauseId
from data.model.state import State

OK, DEGRADED, FAILING, UNKNOWN = State.OK, State.DEGRADED, State.FAILING, State.UNKNOWN

DEVELOPER = "developer on call"
MANAGER = "affiliate manager"
SEO = "SEO"
ANALYST = "analyst"
FINANCE = "finance"
NOBODY = ""


@dataclass(frozen=True, slots=True)
class Cause:
    """One row of the registry. `plans` are the first actions A, B and C in words."""

    id: CauseId
    state: State
    words: str
    owner: str
    plans: tuple[str, str, str]


_NETWORK = ("check our own uplink and resolver", "run the checks from another region", "trust own click data meanwhile")
_DNS = ("revert the zone", "switch to the secondary DNS", "serve a static page elsewhere")
_ORIGIN = ("restore the host", "route to a standby host", "hold page and stop paid traffic")
_TLS = ("renew the certificate", "move to an alternate host", "stop sending traffic there")
_HTTP = (
    "restore the page or get a new link from the partner panel",
    "swap to the next partner of the same GEO",
    "hide the placement",
)
_EDGE = (
    "wait with a status note",
    "move DNS to the second edge, prepared outside that provider",
    "route only money pages via our own redirector",
)
_PROTO = ("fix the server's answer", "route to a standby host", "hide the placement")
_CONTENT = ("restore the page or ask the account manager", "swap to another partner", "hide the placement")
_LINK = (
    "ask the account manager to restore the offer",
    "send the traffic to an alternate offer of the same GEO",
    "remove the link and stop paid traffic",
)
_REDIRECT = ("fix the redirect rule", "link directly to the landing page", "hide the placement")
_SLOW = ("scale or cache", "serve a static snapshot", "shed the long tail")
_SEO = ("revert the deploy", "override the header at the edge", "request a recrawl after the fix")
_DEINDEXED = (
    "clean the site up and request a review",
    "move the content to a satellite site",
    "cover the lost traffic with paid media",
)
_GEO = ("ask the account manager for a licensed domain", "send this GEO to another brand", "remove this GEO")
_PARSER = (
    "freeze what this parser feeds and mend the selector",
    "switch to a second parser or provider",
    "use another source for these data",
)
_BLOCKED = ("slow down", "use another provider", "reduce the query set")
_ACCESS = ("renew the key with its owner", "use the second key", "import by CSV meanwhile")
_THROTTLE = ("back off", "widen the cadence", "ask for quota")
_CONTRACT = (
    "map the new shape and replay the raw payloads",
    "use the previous endpoint",
    "pause the metrics, not the pulls",
)
_UNIT = ("quarantine, convert and replay", "keep the last good figures", "enter by hand")
_TIME = ("set the time zone and re-key the days", "compare weekly sums", "ask the partner")
_RESTATED = ("send the evidence pack", "hold the invoice with finance", "reduce the share of this partner")
_REVENUE = (
    "ask the account manager, with our clicks as evidence",
    "shift share to another partner",
    "lower the rank and stop paid traffic",
)
_TRAFFIC = ("look at the site, SEO and consent changes", "reallocate traffic", "buy cover")
_POSTBACK = ("fix the endpoint or the macro", "queue at the edge", "backfill by API")
_SELF = ("restart the hub", "use a second node", "call the owner of this machine")

_TABLE: tuple[tuple[str, State, str, str, tuple[str, str, str]], ...] = (
    ("config.url", UNKNOWN, "the URL cannot be checked", DEVELOPER, ("correct the inventory", "pause the target", "remove it")),
    ("local.network", UNKNOWN, "our own network", DEVELOPER, _NETWORK),
    ("local.resolver", UNKNOWN, "our own resolver", DEVELOPER, _NETWORK),
    ("local.clock", UNKNOWN, "our own clock", DEVELOPER, _NETWORK),
    ("dns.nxdomain", FAILING, "the name does not exist", DEVELOPER, _DNS),
    ("dns.servfail", UNKNOWN, "the name servers fail", DEVELOPER, _DNS),
    ("dns.timeout", UNKNOWN, "the name servers do not answer", DEVELOPER, _DNS),
    ("dns.nodata", FAILING, "the name has no address", DEVELOPER, _DNS),
    ("dns.expiring", DEGRADED, "domain registration ends soon", DEVELOPER, ("renew the domain", "have a second domain ready", "lock the transfer")),
    ("dns.refused", UNKNOWN, "the name servers refuse", DEVELOPER, _DNS),
    ("tcp.refused", FAILING, "connection refused", DEVELOPER, _ORIGIN),
    ("tcp.timeout", FAILING, "no answer to connect", DEVELOPER, _ORIGIN),
    ("tcp.reset", FAILING, "connection reset", DEVELOPER, _ORIGIN),
    ("tcp.unreachable", FAILING, "host unreachable", DEVELOPER, _ORIGIN),
    ("tls.expired", FAILING, "certificate expired", DEVELOPER, _TLS),
    ("tls.not_yet_valid", FAILING, "certificate not yet valid", DEVELOPER, _TLS),
    ("tls.hostname", FAILING, "certificate for another host", DEVELOPER, _TLS),
    ("tls.self_signed", FAILING, "self-signed certificate", DEVELOPER, _TLS),
    ("tls.untrusted", FAILING, "unknown certificate authority", DEVELOPER, _TLS),
    ("tls.incomplete_chain", FAILING, "intermediate certificate missing", DEVELOPER, _TLS),
    ("tls.protocol", FAILING, "TLS handshake failed", DEVELOPER, _TLS),
    ("tls.client_cert", FAILING, "asks for a client certificate", DEVELOPER, _TLS),
    ("tls.timeout", FAILING, "TLS handshake timed out", DEVELOPER, _TLS),
    ("tls.expiring", DEGRADED, "certificate expires soon", DEVELOPER, _TLS),
    ("http.4xx", FAILING, "page answers 4xx", MANAGER, _HTTP),
    ("http.gone", FAILING, "page is gone", MANAGER, _HTTP),
    ("http.auth", FAILING, "page asks for a login", DEVELOPER, _HTTP),
    ("http.legal_block", FAILING, "blocked for legal reasons", MANAGER, _GEO),
    ("http.rate_limited", UNKNOWN, "we are rate limited", NOBODY, _THROTTLE),
    ("http.5xx", FAILING, "server error", DEVELOPER, _ORIGIN),
    ("http.maintenance", FAILING, "in maintenance", DEVELOPER, _ORIGIN),
    ("edge.error", FAILING, "edge provider answers errors", DEVELOPER, _EDGE),
    ("edge.origin_unreachable", FAILING, "edge cannot reach the origin", DEVELOPER, _ORIGIN),
    ("edge.challenge", UNKNOWN, "challenge shown to our probe", NOBODY, ("allow-list the probe", "check from another vantage", "rely on own click data")),
    ("edge.refused", FAILING, "edge refuses the request", DEVELOPER, _EDGE),
    ("proto.malformed", FAILING, "malformed answer", DEVELOPER, _PROTO),
    ("proto.empty_reply", FAILING, "empty reply", DEVELOPER, _PROTO),
    ("proto.truncated", FAILING, "answer cut short", DEVELOPER, _PROTO),
    ("proto.decode", FAILING, "broken content encoding", DEVELOPER, _PROTO),
    ("proto.oversize", FAILING, "endless or oversized body", DEVELOPER, _PROTO),
    ("content.soft404", FAILING, "not-found page with 200", MANAGER, _CONTENT),
    ("content.parked", FAILING, "parked domain", DEVELOPER, _CONTENT),
    ("content.default_page", FAILING, "server's default page", DEVELOPER, _CONTENT),
    ("content.empty", FAILING, "empty page", DEVELOPER, _CONTENT),
    ("content.app_error", FAILING, "application error on the page", DEVELOPER, _CONTENT),
    ("content.maintenance", FAILING, "maintenance page with 200", DEVELOPER, _CONTENT),
    ("content.missing_keyword", FAILING, "expected text is missing", DEVELOPER, _CONTENT),
    ("content.forbidden_text", FAILING, "forbidden text on the page", DEVELOPER, _CONTENT),
    ("link.inactive", FAILING, "the offer is inactive", MANAGER, _LINK),
    ("link.param_lost", FAILING, "tracking parameter lost", DEVELOPER, ("roll back what changed the link", "let the redirector add the parameter again", "link directly")),
    ("link.wrong_target", FAILING, "lands on the wrong page", MANAGER, _LINK),
    ("link.to_home", FAILING, "deep link lands on home", MANAGER, ("ask for the new deep link", "use a promotion page", "accept and re-rate")),
    ("redirect.loop", FAILING, "redirects in a loop", DEVELOPER, _REDIRECT),
    ("redirect.too_many", FAILING, "too many redirects", DEVELOPER, _REDIRECT),
    ("redirect.no_location", FAILING, "redirect without a target", DEVELOPER, _REDIRECT),
    ("redirect.bad_location", FAILING, "redirect to a broken URL", DEVELOPER, _REDIRECT),
    ("redirect.non_http", FAILING, "redirect to an app scheme", DEVELOPER, _REDIRECT),
    ("redirect.client_side", DEGRADED, "redirects by script or meta refresh", DEVELOPER, _REDIRECT),
    ("redirect.hop_failed", FAILING, "a hop of the chain failed", DEVELOPER, _REDIRECT),
    ("slow.ttfb", DEGRADED, "slow first byte", DEVELOPER, _SLOW),
    ("slow.total", DEGRADED, "slow page", DEVELOPER, _SLOW),
    ("seo.noindex", DEGRADED, "page forbids indexing", SEO, _SEO),
    ("seo.robots", DEGRADED, "robots.txt forbids crawling", SEO, _SEO),
    ("seo.canonical", DEGRADED, "canonical changed", SEO, _SEO),
    ("seo.hreflang", DEGRADED, "hreflang changed", SEO, _SEO),
    ("seo.deindexed", DEGRADED, "gone from the search results", SEO, _DEINDEXED),
    ("geo.blocked", FAILING, "blocked in this country", MANAGER, _GEO),
    ("page.blocked", FAILING, "the parser is blocked", DEVELOPER, _BLOCKED),
    ("page.consent", FAILING, "consent page instead of content", DEVELOPER, _BLOCKED),
    ("page.no_results", FAILING, "no results", SEO, _PARSER),
    ("page.layout_unknown", DEGRADED, "unknown layout", DEVELOPER, _PARSER),
    ("page.empty", FAILING, "empty page", DEVELOPER, _PARSER),
    ("parser.selector_dead", FAILING, "item selector finds nothing", DEVELOPER, _PARSER),
    ("parser.field_dead", FAILING, "a field comes back empty", DEVELOPER, _PARSER),
    ("parser.wrong_target", FAILING, "selectors hit the wrong nodes", DEVELOPER, _PARSER),
    ("parser.partial", FAILING, "part of the items is lost", DEVELOPER, _PARSER),
    ("parser.late", FAILING, "the parser did not run", DEVELOPER, _PARSER),
    ("feed.auth", FAILING, "access refused by the partner", DEVELOPER, _ACCESS),
    ("feed.throttled", FAILING, "throttled by the partner", DEVELOPER, _THROTTLE),
    ("feed.contract", FAILING, "the data changed shape", DEVELOPER, _CONTRACT),
    ("feed.scale", FAILING, "the unit of money changed", DEVELOPER, _UNIT),
    ("feed.timezone", FAILING, "the day boundary moved", ANALYST, _TIME),
    ("feed.paging", FAILING, "only part of the pages arrived", DEVELOPER, ("fix paging", "slice by day", "use totals only")),
    ("feed.late", FAILING, "the report is late", ANALYST, ("wait, then ask the account manager", "use own conversions", "mark the figures as blind")),
    ("feed.restated", FAILING, "history was lowered", FINANCE, _RESTATED),
    ("feed.deprecated", FAILING, "the API is announced to end", DEVELOPER, _CONTRACT),
    ("revenue.silence", FAILING, "clicks go on, conversions stopped", MANAGER, _REVENUE),
    ("revenue.drop", FAILING, "conversions fell", MANAGER, _REVENUE),
    ("revenue.leak", FAILING, "conversions leak away slowly", MANAGER, _REVENUE),
    ("revenue.value", FAILING, "conversions are worth less", FINANCE, _REVENUE),
    ("revenue.traffic", FAILING, "traffic fell", SEO, _TRAFFIC),
    ("revenue.blind", FAILING, "revenue cannot be seen", ANALYST, _ACCESS),
    ("postback.silent", FAILING, "postbacks stopped", DEVELOPER, _POSTBACK),
    ("postback.macro", FAILING, "postback macro not replaced", DEVELOPER, _POSTBACK),
    ("postback.duplicate", FAILING, "postbacks arrive twice", DEVELOPER, _POSTBACK),
    ("self.stalled", UNKNOWN, "losswatch itself stalled here", DEVELOPER, _SELF),
    ("self.disk", UNKNOWN, "losswatch is out of disk", DEVELOPER, _SELF),
    ("self.clock", UNKNOWN, "losswatch's clock is off", DEVELOPER, _SELF),
)  # fmt: skip

CAUSES: dict[CauseId, Cause] = {
    CauseId(name): Cause(CauseId(name), state, words, owner, plans) for name, state, words, owner, plans in _TABLE
}


def cause(name: str) -> CauseId:
    """A checked `CauseId`; raises `KeyError` for one that is not in the registry."""
    return CAUSES[CauseId(name)].id


def state_of(cause_id: CauseId) -> State:
    """The state a cause means; no cause is `ok`."""
    return CAUSES[cause_id].state if cause_id else State.OK


def words_of(cause_id: CauseId) -> str:
    return CAUSES[cause_id].words if cause_id else "ok"


def family_of(cause_id: CauseId) -> str:
    return cause_id.partition(".")[0]


_NATURES = {
    **dict.fromkeys(("dns", "tcp", "tls", "http", "edge", "proto", "redirect"), "reach"),
    **dict.fromkeys(("content", "link"), "landing"),
}
_BY_CAUSE = {
    "http.legal_block": "geo", "tls.expiring": "expiry", "dns.expiring": "expiry", "redirect.client_side": "landing",
}  # fmt: skip


def nature_of(cause_id: CauseId) -> str:
    """What kind of trouble a cause is: causes of one nature may be the same trouble seen on different days.

    `reach` (the page was not got), `landing` (it is not worth having), `geo`, `expiry`; else the family itself.
    """
    return _BY_CAUSE.get(cause_id) or _NATURES.get(family_of(cause_id), family_of(cause_id))
