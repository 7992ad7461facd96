from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.incidents.case import Case
from data.model.ids import IncidentId

STEPS = st.lists(
    st.tuples(st.sampled_from(["take", "revise", "close", "drop", "ask"]), st.integers(0, 7), st.integers(0, 9))
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(STEPS)
def test_members_are_the_findings_by_age_however_they_came_changed_and_went(story, steps):
    first = replace(story.finding("site:first", "http.5xx"), incident=IncidentId(1))
    case = Case.of(first, story.at(0))
    for what, number, minutes in steps:
        known = next((one for one in case.findings.values() if one.target == f"site:s{number}"), None)
        if what == "take" and known is None:
            case.take(replace(story.finding(f"site:s{number}", "http.5xx", minutes), incident=IncidentId(1)))
        elif what == "revise" and known is not None:
            case.take(replace(known, cause="edge.error"))
        elif what == "close" and known is not None:
            case.take(replace(known, closed_at=story.at(minutes + 10)))
        elif what == "drop" and known is not None:
            case.drop([known])
        else:
            assert case.members is case.members
    assert case.members == tuple(sorted(case.findings.values(), key=lambda one: (one.opened_at, one.id)))
