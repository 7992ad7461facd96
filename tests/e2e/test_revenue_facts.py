"""Facts nobody would send on purpose, through a real hub: by file, over the socket, twice, and with a kill between."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx
import numpy as np
import polars as pl
import pytest
from street import kill_hub, lines, losswatch, make_home, opened, until

from data.config.home import Home
from data.model.principal import EVERYTHING
from data.store import facts

HOURS = 9 * 24
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def history():
    """Nine calm days of two partners."""
    draw, hour = np.random.default_rng(4), np.arange(HOURS)
    frames = []
    for partner in ("P01", "P02"):
        stamps = [NOW - timedelta(hours=int(HOURS - number)) for number in hour]
        clicks = draw.poisson(40, HOURS)
        ftd = draw.binomial(clicks, 0.05)
        counts = {"clicks": clicks, "regs": 2 * ftd, "ftd": ftd, "revenue": ftd * 75.0}
        names = {"team": "aurora", "partner": partner, "offer": "casino", "geo": "FI", "site": "kiel"}
        seen = [stamp + timedelta(hours=1) for stamp in stamps]
        frames.append(pl.DataFrame({"hour": stamps, "seen_at": seen, **counts}).with_columns(**{k: pl.lit(v) for k, v in names.items()}))  # fmt: skip
    zoned = pl.col("hour", "seen_at").cast(pl.Datetime("us", "UTC"))
    return pl.concat(frames).with_columns(zoned, pl.col("clicks", "regs", "ftd").cast(pl.Int64))


def fact(**changes):
    hour = NOW - timedelta(hours=3)
    plain = {"hour": hour.isoformat(), "seen_at": (hour + timedelta(hours=1)).isoformat(), "team": "aurora", "partner": "P01"}  # fmt: skip
    return json.dumps({"fact": {**plain, "offer": "casino", "geo": "FI", "site": "kiel", "clicks": 1, **changes}})


ODD = [
    fact(clicks=900_000),
    fact(clicks=-50, revenue="-75.00", ftd=-1),
    fact(hour="1970-01-01T00:00:00Z"),
    fact(hour="2026-10-25T02:00:00+02:00"),
    fact(offer="", geo="", site=""),
    fact(site="a,b=c;\u202e\u001b[2J", geo="%2C"),
    fact(site="x" * 5_000),
    fact(revenue="-9999999.99"),
    fact(partner="P77", revenue="3.1415926535"),
    *[fact(site=f"s{number}") for number in range(300)],
]
NEVER = [fact(revenue="NaN"), fact(clicks=10**30), fact(hour="2099-01-01T00:00:00Z"), fact(currency="XXX"), "{", '{"fact":{}}']  # fmt: skip


@pytest.fixture
def home(tmp_path, street, started):
    clock = f"[clock]\nsim_start = {NOW.isoformat()}\nwall_start = {datetime.now(UTC).isoformat()}\nspeed = 900\n"
    made = make_home(tmp_path / "h", street, ["kiel"], interval="600s", extra=clock)
    (made / "spool").mkdir()
    history().write_parquet(made / "spool" / "facts-history.parquet")
    nan = history().head(2).with_columns(revenue=pl.lit(float("nan")))
    nan.write_parquet(made / "spool" / "facts-nan.parquet")
    started(made)
    return made


def push(home, body, key=""):
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(home / "hub.sock")), timeout=60) as client:
        headers = {"idempotency-key": key} if key else {}
        return client.post("http://hub/v1/facts", content=body.encode(), headers=headers)


def listed(home):
    return {row["name"]: row["state"] for row in lines(losswatch(home, "revenue", "--json"))}


def kept(home):
    with opened(home) as store:
        return facts.frame(store, EVERYTHING, datetime(1970, 1, 1, tzinfo=UTC))


def test_facts_as_nobody_would_send_them_are_stored_once_judged_calmly_and_survive_a_kill(home):
    assert losswatch(home, "hub", "start").returncode == 0
    assert until(lambda: "P02" in listed(home))
    for line in NEVER:
        refused = push(home, f"{ODD[0]}\n{line}")
        assert refused.status_code == 400
        assert "line 2" in refused.text
    for _ in range(2):
        assert push(home, "\n".join(ODD), key="delivery 1").json() == {"stored": len(ODD)}
    kill_hub(home)
    assert losswatch(home, "hub", "start").returncode == 0
    assert push(home, "\n".join(ODD), key="delivery 1").json() == {"stored": len(ODD)}
    assert until(lambda: "P77" in listed(home))
    assert lines(losswatch(home, "incidents", "--json")) == []
    assert losswatch(home, "revenue", "site=a%2Cb=c;", "--json").returncode in {0, 3}
    assert losswatch(home, "hub", "stop").returncode == 0
    assert [path.name for path in (home / "spool").glob("*.rejected")] == ["facts-nan.parquet.rejected"]
    frame = kept(home)
    assert frame.height == 2 * HOURS + len(ODD)
    assert not frame["site"].str.contains("\u001b|\u202e").any()
    assert "Traceback" not in Home.find(str(home)).log.read_text()
