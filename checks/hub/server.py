"""The HTTP face of the hub: identity, errors and routes. What is answered is decided elsewhere."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from checks.hub import door
from checks.hub.feed_desk import day_of
from checks.hub.figures import known_at
from checks.hub.runs import MOST_BYTES
from data.access.principals import principal_for
from data.access.redaction import redact_detail, redact_words
from data.errors import LosswatchError, NotAllowed, StoreError, UsageError
from data.model.codec import to_json
from data.model.snapshot import Problem
from data.model.target import TargetKind, target_id
from data.store import audit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from checks.hub.hub import Hub
    from checks.hub.listen import Peer
    from data.config.settings import Feed
    from data.model.principal import Principal
    from data.model.target import Target

JSON = "application/json"
BODY_LIMIT = 64 * 1024 * 1024


class NotFound(LosswatchError):
    pass


def application(hub: Hub) -> Starlette:
    """Routes of the hub's API; every one knows who asks before it runs."""

    def route(path: str, answer: Callable[[Hub, Principal, Request], Awaitable[object]], method: str = "GET") -> Route:
        async def handle(request: Request) -> Response:
            try:
                found = await answer(hub, _principal(hub, request), request)
            except LosswatchError as problem:
                return _problem(problem)
            return found if isinstance(found, Response) else Response(to_json(found), media_type=JSON)

        return Route(path, handle, methods=[method])

    return Starlette(
        routes=[
            route("/v1/hello", _hello),
            route("/v1/events", _events),
            route("/v1/status", _status),
            route("/v1/audit", _audit),
            route("/v1/snapshot", _snapshot),
            route("/v1/targets/{kind}", _targets),
            route("/v1/target/{target:path}", _target),
            route("/v1/why/{target:path}", _why),
            route("/v1/watchlist", _watchlist),
            route("/v1/calibration", _calibration),
            route("/v1/incidents", _incidents),
            route("/v1/incidents/{number:int}", _incident),
            route("/v1/incidents/{number:int}/report", _report),
            route("/v1/statistics", _statistics),
            route("/v1/plans", _plans),
            route("/v1/notices", _notices),
            route("/v1/handovers/{rota}", _handover),
            route("/v1/commands/{name}", _command, "POST"),
            route("/v1/feeds/{name}/evidence", _evidence),
            route("/v1/feeds/{name}/backfill", _backfill),
            route("/v1/feeds/{name}/figures", _figures),
            route("/v1/facts", _facts, "POST"),
            route("/v1/deploys", _deploys, "POST"),
            route("/v1/runs", _runs, "POST"),
            route("/v1/clicks/{feed}", _clicks, "POST"),
            route("/v1/postbacks/{feed}", _postback),
            route("/v1/postbacks/{feed}", _postback, "POST"),
        ]
    )


def _principal(hub: Hub, request: Request) -> Principal:
    peer: Peer = request.state.peer
    return principal_for(peer.uid, hub.settings, hub.uid)


def _problem(problem: LosswatchError) -> Response:
    status, code = 500, "internal"
    if isinstance(problem, NotAllowed):
        status, code = 403, "not_allowed"
    elif isinstance(problem, NotFound):
        status, code = 404, "not_found"
    elif isinstance(problem, StoreError):
        status, code = 503, "unavailable"
    elif problem.exit_code == UsageError.exit_code:
        status, code = 400, "bad_request"
    return Response(to_json(Problem(str(problem), code)), status, media_type=JSON)


async def _hello(hub: Hub, who: Principal, _request: Request) -> object:
    return hub.views.hello(who)


async def _events(hub: Hub, who: Principal, request: Request) -> object:
    since = _number(request, "since", -1)
    return StreamingResponse(hub.stream.lines(who, since), media_type="application/x-ndjson")


async def _status(hub: Hub, who: Principal, _request: Request) -> object:
    return hub.status(who)


async def _audit(hub: Hub, who: Principal, _request: Request) -> object:
    if who.scope.teams is not None:
        raise NotAllowed(f"{who.name} ({who.role}) may not look over the audit of all teams; ask an admin")
    chain = await asyncio.to_thread(audit.verify, hub.store)
    return replace(chain, broken=redact_words(chain.broken, who.scope))


async def _snapshot(hub: Hub, who: Principal, request: Request) -> object:
    at = _past(request)
    views = (await hub.past.at(at)).views if at else hub.views
    return views.snapshot(who.scope)


async def _targets(hub: Hub, who: Principal, request: Request) -> object:
    query, at = request.query_params, _past(request)
    views = (await hub.past.at(at)).views if at else hub.views
    return views.targets(
        who,
        request.path_params["kind"],
        expression=query.get("filter", ""),
        sort=query.get("sort", ""),
        descending=query.get("desc", "0") == "1",
        offset=_number(request, "offset", 0),
        limit=_number(request, "limit", 200),
    )


async def _target(hub: Hub, who: Principal, request: Request) -> object:
    name, at = request.path_params["target"], _past(request)
    window = request.query_params.get("window", "24h")
    found = await (hub.details.past.target(who, name, at) if at else hub.details.target(who, name, window))
    if found is None:
        raise NotFound(f"no target {request.path_params['target']!r} in your scope")
    return redact_detail(found, who.scope)


async def _why(hub: Hub, who: Principal, request: Request) -> object:
    asked, at = request.path_params["target"], request.query_params.get("at", "")
    found = await hub.details.why(who, asked, _moment("at", at) if at else hub.clock.now())
    if found is None:
        raise NotFound(f"nothing is known of {asked!r} at that time, in your scope")
    return found


async def _watchlist(hub: Hub, who: Principal, _request: Request) -> object:
    return await hub.details.watchlist(who)


async def _calibration(hub: Hub, who: Principal, _request: Request) -> object:
    return await hub.details.calibration(who)


async def _incidents(hub: Hub, who: Principal, request: Request) -> object:
    state = request.query_params.get("state", "open")
    if state not in {"open", "closed", "all"}:
        raise UsageError(f"no state {state!r}; there are open, closed and all")
    offset, limit = _number(request, "offset", 0), _number(request, "limit", 200)
    if at := _past(request):
        return await hub.details.past.incidents(who, at, offset, limit)
    return await hub.details.incidents(who, state, offset, limit)


async def _incident(hub: Hub, who: Principal, request: Request) -> object:
    number, at = request.path_params["number"], _past(request)
    found = await (hub.details.past.incident(who, number, at) if at else hub.details.incident(who, number))
    if found is None:
        raise NotFound(f"no incident #{number} in your scope")
    return found


async def _report(hub: Hub, who: Principal, request: Request) -> object:
    number = request.path_params["number"]
    found = await hub.commands.records.report(who, number)
    if found is None:
        raise NotFound(f"no incident #{number} in your scope")
    return found


async def _statistics(hub: Hub, who: Principal, request: Request) -> object:
    query = request.query_params
    return await hub.commands.records.statistics(
        who, query.get("by", "cause"), query.get("since", ""), query.get("until", "")
    )


async def _plans(hub: Hub, who: Principal, _request: Request) -> object:
    return await hub.commands.plans.book(who)


async def _backfill(hub: Hub, who: Principal, request: Request) -> object:
    name = request.path_params["name"]
    found = await hub.pulls.backfills.of(who.scope, name)
    if found is None:
        raise NotFound(f"{name} never had a backfill")
    return found


async def _notices(hub: Hub, who: Principal, request: Request) -> object:
    state = request.query_params.get("state", "all")
    return await hub.commands.notices.page(who, state, _number(request, "offset", 0), _number(request, "limit", 200))


async def _handover(hub: Hub, who: Principal, request: Request) -> object:
    return await hub.commands.notices.handover(who, request.path_params["rota"])


async def _command(hub: Hub, who: Principal, request: Request) -> object:
    raw = await _body(request)
    try:
        arguments: Any = json.loads(raw or b"{}")
    except ValueError:
        raise UsageError("the body of a command is one JSON object") from None
    if not isinstance(arguments, dict):
        raise UsageError("the body of a command is one JSON object")
    return await hub.commands.give(who, request.path_params["name"], arguments)


async def _evidence(hub: Hub, who: Principal, request: Request) -> object:
    first, last = (day_of(request.query_params, name) for name in ("from", "to"))
    content = await hub.commands.feeds.evidence(who, request.path_params["name"], first, last)
    return Response(content, media_type="application/zip")


async def _figures(hub: Hub, who: Principal, request: Request) -> object:
    return await known_at(hub, who, request.path_params["name"], request.query_params.getlist("at"))


async def _facts(hub: Hub, who: Principal, request: Request) -> object:
    if "ingest" not in who.actions:
        raise NotAllowed(f"{who.name} ({who.role}) may not push facts; ask an admin")
    key = request.headers.get("idempotency-key", "")
    return {"stored": await hub.spool.take_lines(await _body(request), f"{who.name} {key}" if key else "")}


async def _deploys(hub: Hub, who: Principal, request: Request) -> object:
    if "ingest" not in who.actions:
        raise NotAllowed(f"{who.name} ({who.role}) may not tell of deploys; ask an admin")
    key = request.headers.get("idempotency-key", "")
    return {"stored": await hub.spool.take_deploys(await _body(request), f"{who.name} deploys {key}" if key else "")}


async def _runs(hub: Hub, who: Principal, request: Request) -> object:
    if "ingest" not in who.actions:
        raise NotAllowed(f"{who.name} ({who.role}) may not push runs; ask an admin")
    body = await _body(request, MOST_BYTES)
    return {"stored": await hub.runs.take(body, who.scope, request.query_params.get("parser", ""))}


async def _clicks(hub: Hub, who: Principal, request: Request) -> object:
    if "ingest" not in who.actions:
        raise NotAllowed(f"{who.name} ({who.role}) may not push clicks; ask an admin")
    target, feed = _pushed_feed(hub, who, request)
    return await hub.taps.push(target, feed, await _body(request))


async def _postback(hub: Hub, who: Principal, request: Request) -> object:
    if "ingest" not in who.actions:
        raise NotAllowed(f"{who.name} ({who.role}) may not push postbacks; ask an admin")
    _, feed = _pushed_feed(hub, who, request)
    if hub.postbacks.feed(feed.name) is None:
        raise UsageError(f"{feed.name} takes no postbacks; its preset is {feed.preset}")
    return await door.answer(hub, feed, request)


def _pushed_feed(hub: Hub, who: Principal, request: Request) -> tuple[Target, Feed]:
    target = hub.board.targets.get(target_id(TargetKind.FEED, request.path_params["feed"]))
    feed = hub.pulls.feeds.named(target) if target and who.scope.sees(target.team) else None
    if target is None or feed is None:
        raise NotFound(f"no feed {request.path_params['feed']!r} in your scope")
    return target, feed


async def _body(request: Request, limit: int = BODY_LIMIT) -> bytes:
    chunks, size = list[bytes](), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise UsageError(f"a body may hold {limit >> 20} MiB; send several")
        chunks.append(chunk)
    return b"".join(chunks)


def _number(request: Request, name: str, otherwise: int) -> int:
    given = request.query_params.get(name, "")
    try:
        return int(given) if given else otherwise
    except ValueError:
        raise UsageError(f"{name}={given!r} is not a whole number") from None


def _past(request: Request) -> datetime | None:
    """The earlier moment that is asked about; `None` for the present."""
    given = request.query_params.get("at", "")
    return _moment("at", given) if given else None


def _moment(name: str, given: str) -> datetime:
    """A time; one without a zone is UTC."""
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise UsageError(f"{name}={given!r} is no time such as 2026-01-31T14:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
