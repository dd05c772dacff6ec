"""What receivers are told when something happens to people: through acts, the audit log, and a push that is judged."""

from __future__ import annotations

from tests.faces.signals.judge import set_faults
from tests.faces.signals.stage import EVERYTHING, PLACE, Receiver, Stage
from tests.world import TEAMS, ok


def judged(stage: Stage, receiver: Receiver, address: str = PLACE) -> list[str]:
    """All that is wrong with what was pushed there."""
    keys = stage.jwks()
    return [
        fault
        for token in stage.pushed_to(address)
        for fault in set_faults(token, keys, stage.issuer, receiver.face.app_id, EVERYTHING)
    ]


def test_an_activation_and_its_end_by_time(stage: Stage, crm: Receiver) -> None:
    world = stage.world
    crm.everything()
    world.eligible(world.ann)
    assert stage.tell() == 0, "being eligible changes no one's access"
    began = world.now
    ok(world.activate(world.ann, hours=1))
    assert stage.tell() == 1
    ((kind, event),) = stage.events()
    assert kind == "token-claims-change"
    assert event["claims"]["wids"] == [TEAMS]
    assert event["claims"]["roles"] == ["Teams Administrator"]
    assert event["event_timestamp"] == int(began.timestamp())
    assert event["initiating_entity"] == "user"
    ended = world.forward(hours=1)
    world.forward(minutes=3)
    assert stage.tell() == 2
    (_, (kind, event), (last, revoked)) = stage.events()
    assert (kind, last) == ("token-claims-change", "session-revoked")
    assert event["claims"] == {"groups": [], "roles": [], "wids": []}
    assert event["event_timestamp"] == revoked["event_timestamp"] == int(ended.timestamp())
    assert revoked["initiating_entity"] == "policy"
    assert revoked["reason_admin"] == {"en": "The role Teams Administrator ended by time."}
    assert stage.claims()[0]["sub_id"] == {"format": "iss_sub", "iss": stage.issuer, "sub": world.ann}
    assert judged(stage, crm) == []
