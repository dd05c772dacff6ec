"""`openPim/targets`, an addition of ours: the real systems that privileges take effect in. Mappings say which role or group
becomes which entitlement there; effects say what has come of it, each proved by reading the target back. A secret goes in
and never out."""

from __future__ import annotations

from typing import Any, Final

from openpim.core.connecting import Effect, EffectState, Foreign, OpKind, Rule
from openpim.core.grants import Provider
from openpim.faces.graph import grants
from openpim.faces.graph import permissions as p
from openpim.faces.graph.call import NO_CONTENT, Answer, Call
from openpim.faces.graph.faults import settled
from openpim.faces.graph.resource import Resource, Row, plain_page
from openpim.faces.graph.table import Endpoint
from openpim.ports.connector import ConnectorKind
from openpim.services.connecting import acting, issue, leading, manage
from openpim.services.connecting.acting import Mine
from openpim.services.connecting.checking import LONGEST_ENTITLEMENT, Desired
from openpim.services.connecting.leading import Way
from openpim.services.connecting.manage import View
from openpim.wire.jsonbody import Body

PATH: Final = "openPim/targets"
KINDS: Final = "openPim/connectorKinds"
MINE: Final = "openPim/myEffects"
WAYS: Final = "openPim/myTargets"
_MOST_VALUES: Final = 60
_LONGEST_VALUE: Final = 20_000


def row(_call: Call, view: View) -> Row:
    one = view.target
    return {
        "id": one.id,
        "displayName": one.name,
        "kind": one.kind,
        "isEnabled": one.enabled,
        "settings": dict(one.settings),
        "secretsSet": list(view.secrets),
        "managed": list(one.managed),
        "subject": one.subject,
        "foreign": one.foreign.value,
        "createdDateTime": grants.when(one.created_at),
        "createdBy": one.created_by,
        "mappings": [_rule(rule) for rule in view.rules],
        "subjects": [
            {"principalId": key, "subject": name} for key, name in sorted((view.subjects or {}).items())
        ],
        "drift": [{"subject": subject, "entitlement": held} for subject, held in view.drift],
        "status": {
            "lastLookDateTime": grants.when(one.looked_at),
            "fault": one.fault or None,
            "faultDateTime": grants.when(one.fault_at) if one.fault else None,
            "failures": one.failures,
            "effects": {state.value: view.counts.get(state, 0) for state in EffectState},
        },
    }


def _rule(one: Rule) -> Row:
    return {
        "id": one.id,
        "provider": one.provider.value,
        "roleDefinitionId": one.role_id,
        "scopeId": one.scope,
        "entitlement": one.entitlement,
        "createdDateTime": grants.when(one.created_at),
        "createdBy": one.created_by,
    }


def _effect(one: Effect) -> Row:
    return {
        "principalId": one.principal_id or None,
        "subject": one.edge.subject,
        "entitlement": one.edge.entitlement,
        "untilDateTime": grants.when(one.edge.until),
        "state": one.state.value,
        "sinceDateTime": grants.when(one.since),
        "requestedDateTime": grants.when(one.asked_at),
        "effectiveDateTime": grants.when(one.effective_at),
        "endedDateTime": grants.when(one.ended_at),
        "residueUntilDateTime": grants.when(one.residue_until),
        "isFailing": one.failing,
        "failures": one.failures,
        "lastError": one.error or None,
        "scheduleIds": list(one.schedules),
    }


def _mine(_call: Call, one: Mine) -> Row:
    return {
        "targetId": one.target.id,
        "target": one.target.name,
        "kind": one.target.kind,
        **_effect(one.effect),
    }


def _way(_call: Call, one: Way) -> Row:
    held = one.through.eligibility
    return {
        "targetId": one.target.id,
        "target": one.target.name,
        "kind": one.target.kind,
        "entitlement": one.entitlement,
        "eligibilityId": held.id,
        "provider": held.provider.value,
        "roleDefinitionId": held.role_id,
        "roleDisplayName": one.through.role_name,
        "scope": one.through.scope_path,
        "scopeDisplayName": one.through.scope_name,
        "state": one.through.state.value,
    }


def _kind(_call: Call, one: ConnectorKind) -> Row:
    return {
        "id": one.name,
        "displayName": one.title,
        "subject": one.subject,
        "settings": [
            {
                "name": setting.name,
                "help": setting.help,
                "isRequired": setting.required,
                "isSecret": setting.secret,
                "default": setting.default or None,
                "choices": list(setting.choices),
            }
            for setting in one.settings
        ],
    }


TARGETS: Resource[View] = Resource(path=PATH, type="openPimTarget", render=row)
_KINDS: Resource[ConnectorKind] = Resource(path=KINDS, type="openPimConnectorKind", render=_kind)
_MINE: Resource[Mine] = Resource(path=MINE, type="openPimEffect", render=_mine)
_WAYS: Resource[Way] = Resource(path=WAYS, type="openPimWay", render=_way)
_EFFECTS: Resource[Effect] = Resource(
    path=f"{PATH}/effects", type="openPimEffect", render=lambda _call, one: _effect(one)
)
_RULES: Resource[Rule] = Resource(
    path=f"{PATH}/mappings", type="openPimMapping", render=lambda _call, one: _rule(one)
)


def index(call: Call) -> Answer:
    return TARGETS.collection(call, plain_page(settled(manage.all_of(call.deps, call.caller)), call.options))


def show(call: Call) -> Answer:
    """With the names of what its mappings and names are about."""
    key = _key(call)
    view = settled(manage.get(call.deps, call.caller, key), key)
    rules, people = settled(acting.named(call.deps, call.caller, view, ()), key)
    answer = TARGETS.entity(call, view)
    body: Any = answer.body
    for one in body.get("mappings", ()):
        one["roleDisplayName"], one["scopeDisplayName"], _ = rules[one["id"]]
    for one in body.get("subjects", ()):
        one["displayName"] = people.get(one["principalId"])
    return answer


def kinds(call: Call) -> Answer:
    return _KINDS.collection(call, plain_page(settled(manage.kinds(call.deps, call.caller)), call.options))


def create(call: Call) -> Answer:
    body = call.json()
    kind = body.need_text("kind", max_length=60)
    made = manage.create(call.deps, call.caller, kind, _desired(body))
    return TARGETS.entity(call, settled(made), status=201)


def change(call: Call) -> Answer:
    """What is missing stays as it is. `secrets` that are not given stay as they are, unless the target has moved."""
    key = _key(call)
    return TARGETS.entity(
        call, settled(manage.update(call.deps, call.caller, key, _desired(call.json())), key)
    )


def delete(call: Call) -> Answer:
    key = _key(call)
    settled(manage.remove(call.deps, call.caller, key), key)
    return NO_CONTENT


def rotate(call: Call) -> Answer:
    key = _key(call)
    return TARGETS.entity(call, settled(manage.rotate(call.deps, call.caller, key), key))


def add_mapping(call: Call) -> Answer:
    """`provider` directory, resource or group; for a group `roleDefinitionId` is member or owner, `scopeId` its id."""
    key, body = _key(call), call.json()
    made = manage.add_rule(
        call.deps,
        call.caller,
        key,
        body.need_choice("provider", Provider),
        body.need_text("roleDefinitionId", max_length=200).lower(),
        body.text("scopeId", max_length=600) or "/",
        body.need_text("entitlement", max_length=LONGEST_ENTITLEMENT),
    )
    return _RULES.entity(call, settled(made, key), status=201)


def remove_mapping(call: Call) -> Answer:
    key, mapping = _key(call), call.params["mapping"].lower()
    settled(manage.remove_rule(call.deps, call.caller, key, mapping), mapping)
    return NO_CONTENT


def name(call: Call) -> Answer:
    """What a person is called in the target; "" or null: as its pattern says."""
    key, person = _key(call), call.params["principal"].lower()
    said = call.json().text("subject", max_length=LONGEST_ENTITLEMENT) or ""
    return TARGETS.entity(call, settled(manage.set_subject(call.deps, call.caller, key, person, said), key))


def probe(call: Call) -> Answer:
    key = _key(call)
    found = settled(acting.probe(call.deps, call.caller, key), key)
    body = {
        "@odata.context": call.context(f"{PATH}/probe"),
        "isReachable": found.probe.reachable,
        "isFit": found.probe.fit,
        "version": found.probe.version or None,
        "lacks": list(found.probe.lacks),
        "excess": list(found.probe.excess),
        "fault": found.fault or None,
    }
    return Answer(200, body)


def plan(call: Call) -> Answer:
    key = _key(call)
    found = settled(acting.plan(call.deps, call.caller, key), key)
    body = {
        "@odata.context": call.context(f"{PATH}/plan"),
        "operations": [
            {
                "operation": op.kind.value,
                "subject": op.edge.subject,
                "entitlement": op.edge.entitlement,
                "untilDateTime": grants.when(op.edge.until) if op.kind is not OpKind.REVOKE else None,
            }
            for op in found.ops
        ],
        "drift": [{"subject": subject, "entitlement": held} for subject, held in found.foreign],
        "problems": [
            {"principalId": who, "displayName": called, "problem": why} for who, called, why in found.problems
        ],
    }
    return Answer(200, body)


def apply(call: Call) -> Answer:
    key = _key(call)
    looked = settled(acting.apply(call.deps, call.caller, key), key)
    body = {
        "@odata.context": call.context(f"{PATH}/apply"),
        "operations": looked.changed,
        "fault": looked.fault or None,
        "nextLookDateTime": grants.when(looked.next_at),
    }
    return Answer(200, body)


def effects(call: Call) -> Answer:
    """What is under way or in effect."""
    key = _key(call)
    found = settled(acting.effects_of(call.deps, call.caller, key), key)
    return _EFFECTS.collection(call, plain_page(found, call.options))


def mine(call: Call) -> Answer:
    """The caller's own, in all targets: now, and what ended in the last day."""
    return _MINE.collection(call, plain_page(acting.mine(call.deps, call.caller), call.options))


def lead(call: Call) -> Answer:
    """Where it leads what the caller may activate: a row for each of his eligibilities and what it gives in a target."""
    return _WAYS.collection(call, plain_page(leading.ways(call.deps, call.caller), call.options))


def credential(call: Call) -> Answer:
    """The caller's own, for as long as his access is effective. `values`: what the kind of target asks for (publicKey)."""
    body = call.json(allow_empty=True)
    given = _texts(body, "values")
    held = body.text("entitlement", max_length=LONGEST_ENTITLEMENT) or ""
    made = settled(issue.issue(call.deps, call.caller, call.params["id"], given or {}, held))
    answer = {
        "@odata.context": call.context(f"{PATH}/credential"),
        "target": made.target.name,
        "subject": made.edge.subject,
        "entitlement": made.edge.entitlement,
        "untilDateTime": grants.when(made.edge.until),
        "values": dict(made.values),
    }
    return Answer(200, answer, {"Cache-Control": "no-store"})


def _key(call: Call) -> str:
    return call.params["id"].lower()


def _desired(body: Body) -> Desired:
    managed = body.texts("managed", most=1000, max_length=LONGEST_ENTITLEMENT)
    return Desired(
        name=body.text("displayName", max_length=200),
        settings=_texts(body, "settings"),
        secrets=_texts(body, "secrets"),
        managed=tuple(managed) if managed is not None else None,
        subject=body.text("subject", max_length=400),
        foreign=body.choice("foreign", Foreign),
        enabled=body.boolean("isEnabled"),
    )


def _texts(body: Body, member: str) -> dict[str, str] | None:
    """An object of texts, by name; null takes one away."""
    found = body.object(member)
    if found is None:
        return None
    names = list(found)
    if len(names) > _MOST_VALUES:
        raise body.fail(member, f"has more than {_MOST_VALUES} members")
    return {key: found.text(key, max_length=_LONGEST_VALUE) or "" for key in names}


ENDPOINTS = (
    Endpoint("GET", KINDS, kinds, p.TARGETS_READ, people_only=True),
    Endpoint("GET", MINE, mine, p.TARGETS_OWN, people_only=True),
    Endpoint("GET", WAYS, lead, p.TARGETS_OWN, people_only=True),
    Endpoint("GET", PATH, index, p.TARGETS_READ, people_only=True),
    Endpoint("POST", PATH, create, p.TARGETS_WRITE, people_only=True),
    Endpoint("GET", f"{PATH}/{{id}}", show, p.TARGETS_READ, people_only=True),
    Endpoint("PATCH", f"{PATH}/{{id}}", change, p.TARGETS_WRITE, people_only=True),
    Endpoint("DELETE", f"{PATH}/{{id}}", delete, p.TARGETS_WRITE, people_only=True),
    Endpoint("GET", f"{PATH}/{{id}}/effects", effects, p.TARGETS_READ, people_only=True),
    Endpoint("POST", f"{PATH}/{{id}}/rotateSecret", rotate, p.TARGETS_WRITE, people_only=True),
    Endpoint("POST", f"{PATH}/{{id}}/probe", probe, p.TARGETS_READ, people_only=True, waits=True),
    Endpoint("POST", f"{PATH}/{{id}}/plan", plan, p.TARGETS_READ, people_only=True, waits=True),
    Endpoint("POST", f"{PATH}/{{id}}/apply", apply, p.TARGETS_WRITE, people_only=True, waits=True),
    Endpoint("POST", f"{PATH}/{{id}}/mappings", add_mapping, p.TARGETS_WRITE, people_only=True),
    Endpoint(
        "DELETE",
        f"{PATH}/{{id}}/mappings/{{mapping}}",
        remove_mapping,
        p.TARGETS_WRITE,
        people_only=True,
    ),
    Endpoint("PUT", f"{PATH}/{{id}}/subjects/{{principal}}", name, p.TARGETS_WRITE, people_only=True),
    Endpoint("POST", f"{PATH}/{{id}}/credentials", credential, p.TARGETS_OWN, people_only=True, waits=True),
)
