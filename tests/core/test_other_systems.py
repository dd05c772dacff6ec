"""What another system may say, where two policies hold at once, and how its words are read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpim.core.callouts import MOST_REASONS, Evaluation, read_evaluation
from openpim.core.policy import (
    ApprovalSettings,
    AskFirst,
    Policy,
    Reviewers,
    Stage,
    default_resource_policy,
    stricter,
)
from openpim.core.tickets import TicketRules, TicketsDown

AUTO = Stage(callout=AskFirst("desk", may_auto_approve=True))
PEOPLE = Stage(primary=Reviewers(("bob",)))


def policy(*stages: Stage, **more: Any) -> Policy:
    approval = ApprovalSettings(required=bool(stages), stages=stages or (Stage(),))
    return replace(default_resource_policy("p", "role", "/s"), approval=approval, **more)


def test_one_policys_system_does_not_speak_for_the_people_of_the_other() -> None:
    merged = stricter(policy(AUTO), policy(PEOPLE)).approval.stages
    assert merged[1] == PEOPLE
    assert merged[0].callout == AskFirst("desk", may_auto_approve=False)
    for same in (
        stricter(policy(AUTO), policy()),
        stricter(policy(), policy(AUTO)),
        stricter(policy(AUTO), policy(AUTO)),
    ):
        assert same.approval.stages == (AUTO,)


def test_tickets_satisfy_both_policies() -> None:
    here, above = TicketRules(("INC#+",)), TicketRules(system_id="desk", when_down=TicketsDown.ACCEPT)
    assert stricter(policy(tickets=here), policy(tickets=above)).all_tickets == (here, above)
    assert stricter(policy(tickets=here), policy(tickets=here)).all_tickets == (here,)
    assert stricter(policy(), policy(tickets=above)).all_tickets == (above,)
    assert policy().all_tickets == ()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=600),
        lambda inner: (
            st.lists(inner, max_size=20)
            | st.dictionaries(
                st.sampled_from(["evaluationOutcome", "evaluationId", "reason", "x"]), inner, max_size=4
            )
        ),
        max_leaves=30,
    )
)
def test_whatever_is_answered_is_read_or_refused(data: Any) -> None:
    found = read_evaluation(data)
    if isinstance(found, Evaluation):
        assert data["evaluationOutcome"] == found.outcome.value
        assert found.words.isprintable()
        assert len(found.reasons) <= MOST_REASONS
        assert "\x00" not in found.id
        found.words.encode()  # no half of a surrogate pair


@pytest.mark.parametrize(
    "word",
    ["approved", "APPROVED", "Approve", " Approved", "Approved\n", "", "true", 1, True, None, ["Approved"]],
)
def test_only_entras_three_words_count(word: Any) -> None:
    assert isinstance(read_evaluation({"evaluationOutcome": word}), str)
