from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

NEXT_DAY = timedelta(days=1)
"""`report_lag` of a platform whose daily run shows a day at 06:00 UTC of the next one."""

CASINO = (
    3.4, 2.6, 2.0, 1.5, 1.2, 1.2, 1.6, 2.2, 2.9, 3.4, 3.8, 4.1,
    4.4, 4.5, 4.6, 4.8, 5.1, 5.6, 6.2, 7.0, 7.6, 7.8, 6.9, 5.6,
)  # fmt: skip
SPORTS = (
    1.6, 1.1, 0.8, 0.6, 0.5, 0.6, 1.2, 2.0, 2.8, 3.4, 4.2, 5.0,
    5.6, 5.8, 6.0, 6.2, 6.8, 8.0, 9.4, 9.2, 7.6, 5.8, 3.6, 2.2,
)  # fmt: skip
"""Share of a day's clicks by local hour, 00..23; normalised where used."""
CASINO_WEEK = (0.96, 0.95, 0.97, 0.99, 1.03, 1.07, 1.03)
SPORTS_WEEK = (0.80, 0.85, 0.95, 0.90, 1.00, 1.30, 1.20)

UTC_OFFSET_H = {
    "FI": 2, "NO": 1, "DE": 1, "AT": 1, "CH": 1, "ES": 1, "PL": 1, "CZ": 1, "RO": 2, "EE": 2,
    "BR": -3, "MX": -6, "CL": -3, "PE": -5, "CA": -5, "GB": 0, "IE": 0, "JP": 9,
}  # fmt: skip
"""Winter offsets of the countries, enough for the shape of a day."""


@dataclass(frozen=True, slots=True)
class DemoPartner:
    """One operator of the simulated world. Money is EUR, as Corvane Media keeps its books."""

    id: str
    name: str
    team: str
    preset: str
    """Dialect its API speaks; P11, which has none, is served as `myaffiliates`."""
    timezone: str
    sports: bool
    clicks_per_day: float
    c2r: float
    """Registrations per click."""
    r2d: float
    """First deposits per registration."""
    value: float
    """Commission per first deposit."""
    value_shape: float
    """Gamma shape of one deposit's commission; 0 is a fixed CPA."""
    report_lag: timedelta
    postbacks: bool
    """Conversions reach us one by one; else only with the report that covers their hour."""
    geos: dict[str, float]
    """Share of its clicks by country."""

    @property
    def slug(self) -> str:
        return self.name.split()[0].lower()

    @property
    def epc(self) -> float:
        """Expected commission per own click."""
        return self.c2r * self.r2d * self.value

    @property
    def landing_host(self) -> str:
        return f"www.{self.slug}.example"

    @property
    def tracker_host(self) -> str:
        return f"trk.{self.slug}.example"

    @property
    def api_host(self) -> str:
        return f"affiliates.{self.slug}.example"


def _lag(minutes: float) -> timedelta:
    return timedelta(minutes=minutes)


PARTNERS: tuple[DemoPartner, ...] = (
    DemoPartner("P01", "Quillspin", "aurora", "affilka", "UTC", False, 2400, 0.09, 0.28, 110, 0, _lag(20), True, {"FI": 0.30, "NO": 0.25, "DE": 0.30, "AT": 0.15}),
    DemoPartner("P02", "Lumenjack", "aurora", "myaffiliates", "Europe/Malta", False, 1900, 0.08, 0.25, 140, 0, _lag(180), False, {"DE": 0.45, "NO": 0.25, "FI": 0.15, "AT": 0.15}),
    DemoPartner("P03", "Torvane Bet", "baltic", "cellxpert", "Europe/Athens", True, 2100, 0.11, 0.34, 77, 4, _lag(60), True, {"PL": 0.40, "RO": 0.35, "CZ": 0.25}),
    DemoPartner("P04", "Saltwick Casino", "delta", "incomeaccess", "Europe/London", False, 1300, 0.07, 0.27, 95, 0, NEXT_DAY, False, {"GB": 0.75, "IE": 0.25}),
    DemoPartner("P05", "Drakkenspin", "aurora", "netrefer", "Europe/Malta", False, 1700, 0.085, 0.24, 76, 1.5, NEXT_DAY, False, {"DE": 0.55, "AT": 0.17, "CH": 0.13, "NO": 0.07, "FI": 0.05, "ES": 0.03}),
    DemoPartner("P06", "Zefirion", "cedar", "smartico", "UTC", False, 2600, 0.13, 0.22, 38, 0, _lag(30), True, {"BR": 0.60, "MX": 0.25, "CL": 0.15}),
    DemoPartner("P07", "Palmarc Sports", "cedar", "alanbase", "America/Sao_Paulo", True, 3100, 0.15, 0.26, 35.5, 4, _lag(10), True, {"BR": 0.50, "MX": 0.20, "CL": 0.15, "PE": 0.15}),
    DemoPartner("P08", "Korrigan Bet", "baltic", "referon", "Europe/Warsaw", True, 1500, 0.10, 0.30, 60, 0, _lag(60), True, {"PL": 0.45, "CZ": 0.35, "EE": 0.20}),
    DemoPartner("P09", "Nimbusroll", "cedar", "everflow", "America/Toronto", False, 900, 0.06, 0.26, 190, 0, _lag(5), True, {"CA": 1.0}),
    DemoPartner("P10", "Ambervolt", "delta", "inhouse", "Asia/Tokyo", False, 1100, 0.07, 0.20, 117, 1.5, _lag(60), False, {"JP": 0.70, "CA": 0.30}),
    DemoPartner("P11", "Ostrel Live", "aurora", "myaffiliates", "Europe/Zurich", False, 650, 0.075, 0.26, 120, 0, _lag(60), False, {"CH": 0.60, "DE": 0.20, "AT": 0.20}),
)  # fmt: skip

BY_ID: dict[str, DemoPartner] = {partner.id: partner for partner in PARTNERS}
