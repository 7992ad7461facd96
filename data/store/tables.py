"""Every table that holds records, and which record goes where."""

from __future__ import annotations

from data.model.alarm import AlarmEntry
from data.model.audit import AuditEntry
from data.model.delivery import Delivery, Postback, Restatement
from data.model.fact import Baseline, Fact, FeedChange, ParserRun, PartnerStat, Payload, Ranks, Receipt
from data.model.incident import Finding, Incident, TimelineEntry
from data.model.notice import Mute, Notice
from data.model.observation import Flip, Observation, TargetState
from data.model.page import KeptPage
from data.model.plan import Switch
from data.model.target import Target
from data.store.table import Table

Record = (
    Target
    | TargetState
    | Observation
    | Flip
    | Finding
    | Incident
    | TimelineEntry
    | Fact
    | Receipt
    | PartnerStat
    | Payload
    | FeedChange
    | ParserRun
    | Ranks
    | KeptPage
    | Baseline
    | Delivery
    | Restatement
    | Postback
    | AlarmEntry
    | Notice
    | Mute
    | Switch
    | AuditEntry
)

TARGET = Table("target", Target, key=("id",))
TARGET_STATE = Table("target_state", TargetState, key=("target",))
OBSERVATION = Table("observation", Observation)
FLIP = Table("flip", Flip)
FINDING = Table("finding", Finding, key=("id",))
INCIDENT = Table("incident", Incident, key=("id",))
TIMELINE = Table("timeline", TimelineEntry)
FACT = Table("fact", Fact)
RECEIPT = Table("receipt", Receipt)
PARTNER_STAT = Table("partner_stat", PartnerStat)
PAYLOAD = Table("payload", Payload, key=("feed", "hash"))
FEED_CHANGE = Table("feed_change", FeedChange, key=("feed", "kind", "path", "first_seen"))
PARSER_RUN = Table("parser_run", ParserRun)
RANKS = Table("ranks", Ranks)
PAGE = Table("page", KeptPage)
BASELINE = Table("baseline", Baseline)
DELIVERY = Table("delivery", Delivery, key=("feed", "at"))
RESTATEMENT = Table("restatement", Restatement, key=("feed", "day", "currency", "measure", "observed_at"))
POSTBACK = Table("postback", Postback)
ALARM = Table("alarm", AlarmEntry)
NOTICE = Table("notice", Notice, key=("id",))
MUTE = Table("mute", Mute, key=("id",))
SWITCH = Table("switch", Switch, key=("id",))
AUDIT = Table("audit", AuditEntry)

TABLES = (
    TARGET, TARGET_STATE, OBSERVATION, FLIP, FINDING, INCIDENT, TIMELINE, FACT, RECEIPT, PARTNER_STAT, PAYLOAD,
    FEED_CHANGE, PARSER_RUN, RANKS, PAGE, BASELINE, DELIVERY, RESTATEMENT, POSTBACK, ALARM, NOTICE, MUTE, SWITCH, AUDIT,
)  # fmt: skip
