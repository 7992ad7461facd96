"""What hub and probe say to each other over a pipe: length-prefixed msgpack frames."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import msgspec

from checks.sites.hygiene.registry import Registry, registry_of  # msgspec reads the annotations at run time
from data.config.settings import (
    Brand,
    ClockSettings,
    ContentRule,
    EdgeSignature,
    Hygiene,
    NetworkSettings,
    Settings,
    Vantage,
)
from data.model.ids import TargetId  # msgspec reads the annotations at run time
from data.model.observation import Observation  # msgspec reads the annotations at run time
from data.model.target import Check  # same

LONGEST_FRAME = 256 * 1024 * 1024
_LENGTH = 4


@dataclass(frozen=True, slots=True)
class ProbeSettings:
    """The part of the settings that a probe needs; no target, no secret."""

    network: NetworkSettings
    ca_file: str = ""
    """Absolute path of the extra trusted certificates."""
    clock: ClockSettings | None = None
    vantages: tuple[Vantage, ...] = ()
    edges: tuple[EdgeSignature, ...] = ()
    brands: tuple[Brand, ...] = ()
    hygiene: Hygiene = field(default_factory=Hygiene)
    rules: tuple[ContentRule, ...] = ()
    links: Registry = field(default_factory=Registry)
    """What pages are compared with; of the targets only the links' URLs."""

    @classmethod
    def of(cls, settings: Settings) -> ProbeSettings:
        links = registry_of(settings.targets)[0] if settings.hygiene.links else Registry()
        ca_file = str(settings.home / settings.network.ca_file) if settings.network.ca_file else ""
        return cls(
            network=settings.network,
            ca_file=ca_file,
            clock=settings.clock,
            vantages=settings.vantages,
            edges=settings.edges,
            brands=settings.brands,
            hygiene=settings.hygiene,
            rules=settings.rules,
            links=links,
        )


class Configure(msgspec.Struct, frozen=True, tag="configure"):
    """Hub to probe, first and whenever the configuration changes."""

    settings: ProbeSettings


class Work(msgspec.Struct, frozen=True, tag="work"):
    """Hub to probe: checks to carry out as soon as the caps allow."""

    checks: tuple[Check, ...]
    order: int = 0
    """Counts up from 1 over the life of a place in the pool."""


class Batch(msgspec.Struct, frozen=True, tag="batch"):
    """Probe to hub: finished observations, numbered without gaps from 1; empty ones only say that it lives."""

    seq: int
    observations: tuple[Observation, ...] = ()
    requests: dict[str, int] = {}
    """How often each `HOST[:PORT]` was asked by the checks that ended since the last batch, control walks included."""
    returned: tuple[TargetId, ...] = ()
    """Checks that were not begun, because their host has asked for silence meanwhile."""
    oldest: int = 0
    """The first order of which a check is still held: all of the orders before it have been answered by now."""


ToProbe = Configure | Work
_to_probe = msgspec.msgpack.Decoder(ToProbe)
_batch = msgspec.msgpack.Decoder(Batch)


def frame(message: Configure | Work | Batch) -> bytes:
    packed = msgspec.msgpack.encode(message)
    return len(packed).to_bytes(_LENGTH, "big") + packed


async def read_order(reader: asyncio.StreamReader) -> ToProbe | None:
    """The hub's next message, or `None` when it has closed the pipe."""
    packed = await _read(reader)
    return None if packed is None else _to_probe.decode(packed)


async def read_batch(reader: asyncio.StreamReader) -> Batch | None:
    """The probe's next batch, or `None` when it is gone."""
    packed = await _read(reader)
    return None if packed is None else _batch.decode(packed)


async def _read(reader: asyncio.StreamReader) -> bytes | None:
    try:
        length = int.from_bytes(await reader.readexactly(_LENGTH), "big")
        if length > LONGEST_FRAME:
            raise ValueError(f"a frame of {length} bytes is not one of ours")
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
