"""Every case of the street."""

from __future__ import annotations

from tests.street import cases_answers, cases_chains, cases_content, cases_edges, cases_tls, cases_wire

CASES = (
    *cases_wire.CASES, *cases_tls.CASES, *cases_answers.CASES, *cases_chains.CASES, *cases_edges.CASES, *cases_content.CASES,
)  # fmt: skip
