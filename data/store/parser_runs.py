from __future__ import annotations

from typing import TYPE_CHECKING

from data.store.query import records, rows, within
from data.store.table import aware
from data.store.tables import PARSER_RUN

if TYPE_CHECKING:
    from datetime import datetime

    from data.model.fact import ParserRun
    from data.model.principal import Scope
    from data.store.store import Store


def history(store: Store, scope: Scope, parser: str, limit: int = 50) -> list[ParserRun]:
    """Newest first."""
    return records(store, PARSER_RUN, within(scope), "parser = ?", [parser, limit], 'ORDER BY "at" DESC LIMIT ?')


def before(store: Store, scope: Scope, parser: str, at: datetime, limit: int) -> list[ParserRun]:
    """Those until then, exclusive, newest first."""
    tail = 'ORDER BY "at" DESC LIMIT ?'
    return records(store, PARSER_RUN, within(scope), 'parser = ? AND "at" < ?', [parser, at, limit], tail)


def between(store: Store, scope: Scope, parser: str, since: datetime, until: datetime) -> list[ParserRun]:
    """Both ends included, oldest first."""
    where = 'parser = ? AND "at" BETWEEN ? AND ?'
    return records(store, PARSER_RUN, within(scope), where, [parser, since, until], 'ORDER BY "at"')


def newest(store: Store, scope: Scope) -> dict[str, datetime]:
    """When each parser ran last, by its name."""
    mine, teams = within(scope)
    return {
        parser: aware(at)
        for parser, at in rows(store, f'SELECT parser, max("at") FROM parser_run WHERE {mine} GROUP BY parser', teams)
    }


def items_by_hour(
    store: Store, scope: Scope, parser: str, since: datetime, day: datetime
) -> list[tuple[int, int, float | None, float | None, float | None, int | None]]:
    """By hour of day, UTC: good runs between `since` and `day`, their median, p10 and p90 of items, and the newest items from `day` on."""
    mine, teams = within(scope)
    usual = """FILTER ("at" < ? AND verdict = 'ok')"""
    sql = f"""
        SELECT hour("at"), count(*) {usual}, median(items) {usual}, quantile_cont(items, 0.1) {usual},
               quantile_cont(items, 0.9) {usual}, arg_max(items, "at") FILTER ("at" >= ?)
        FROM parser_run WHERE {mine} AND parser = ? AND "at" >= ? GROUP BY 1 ORDER BY 1"""
    return rows(store, sql, [day, day, day, day, day, *teams, parser, since])
