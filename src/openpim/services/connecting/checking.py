"""What may be said of a target: its name, settings, secrets, and the entitlements that it manages. Checked here, before anything
is written; every fault is said in the words of the form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from openpim.core.connecting import LONGEST_NAME, Foreign, Target, pattern_fault
from openpim.core.refusals import Code, Refusal
from openpim.ports.connector import BadNameError, ConnectorKind
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.connecting.opening import sealed, secrets_of, settings_of
from openpim.services.connecting.telling import SAID_AT
from openpim.services.recording import storable

LONGEST_ENTITLEMENT = 512
LONGEST_SETTING = 4000
_LONGEST_PATTERN = 300
_MOST_MANAGED = 500


@dataclass(frozen=True, slots=True)
class Desired:
    """What is to be set; None leaves a member as it is (or as usual, for a new one). settings, secrets: by name, only those
    given change; "" takes one away."""

    name: str | None = None
    settings: Mapping[str, str] | None = None
    secrets: Mapping[str, str] | None = None
    managed: tuple[str, ...] | None = None
    subject: str | None = None
    foreign: Foreign | None = None
    enabled: bool | None = None


def changed(
    tx: Transaction, deps: Deps, kind: ConnectorKind, before: Target, desired: Desired, present: list[Target]
) -> Target | Refusal:
    """The target as it will be, or what is wrong with what is desired."""
    name = " ".join((before.name if desired.name is None else desired.name).split())
    if not name or len(name) > LONGEST_NAME or not storable(name):
        return bad("displayName", f"Give it a name of at most {LONGEST_NAME} characters.")
    if any(one.name.casefold() == name.casefold() and one.id != before.id for one in present):
        return bad("displayName", "Another target has this name. Choose another one.")
    subject = before.subject if desired.subject is None else desired.subject.strip()
    fault = pattern_fault(subject) if len(subject) <= _LONGEST_PATTERN and storable(subject) else "Too long."
    if fault is not None:
        return bad("subject", fault)
    settings = _settings(kind, before, desired.settings or {})
    if isinstance(settings, Refusal):
        return settings
    moved = _moved(tx, kind, before, settings)
    if moved is not None:
        return moved
    managed = _managed(tx, kind, before, desired.managed)
    if isinstance(managed, Refusal):
        return managed
    after = replace(
        before,
        name=name,
        subject=subject,
        settings=settings,
        managed=managed,
        foreign=before.foreign if desired.foreign is None else desired.foreign,
        enabled=before.enabled if desired.enabled is None else desired.enabled,
    )
    shared = _shared(kind, before, after, present)
    return shared or _with_secrets(deps, kind, before, after, desired.secrets)


def _settings(kind: ConnectorKind, before: Target, given: Mapping[str, str]) -> dict[str, str] | Refusal:
    known = {one.name: one for one in kind.settings if not one.secret}
    settings = {key: text for key, text in before.settings.items() if key in known}
    for key, text in given.items():
        if key not in known:
            return bad(
                f"settings.{key}"[:100], f"{kind.title} has no such setting. It has: {', '.join(known)}."
            )
        if len(text) > LONGEST_SETTING or not storable(text):
            return bad(f"settings.{key}", f"A setting has at most {LONGEST_SETTING} characters.")
        if text.strip():
            settings[key] = text.strip()
        else:
            settings.pop(key, None)
    for key, one in known.items():
        value = settings.get(key, one.default)
        if one.required and not value:
            return bad(f"settings.{key}", f"Set it: {one.help}")
        if one.choices and value not in one.choices:
            return bad(f"settings.{key}", f"Choose one of: {', '.join(one.choices)}.")
    full = {key: settings.get(key) or one.default for key, one in known.items()}
    for key, fault in kind.check_settings(full).items():
        return bad(f"settings.{key}", fault)
    return settings


def _moved(
    tx: Transaction, kind: ConnectorKind, before: Target, settings: Mapping[str, str]
) -> Refusal | None:
    """What was given in one place is not looked for in another: it would stay there for good, and be shown as ended. Where
    the target cannot be reached any more there is no other way; a fault that passes is no reason."""
    moved = moving(kind, before, settings)
    lost = before.failures >= SAID_AT
    if not before.name or not moved or lost or not tx.effects.of_target(before.id):
        return None
    return bad(
        f"settings.{moved[0]}",
        "Somebody has access there from here, and nobody would take it away. Delete the mappings first, and wait until nobody "
        f"is left. A target that has not answered {SAID_AT} times in a row may be moved; what is there then stays there.",
    )


def moving(kind: ConnectorKind, before: Target, settings: Mapping[str, str]) -> list[str]:
    """Names of the settings by which what was given is found again, and that would be others."""
    old, new = settings_of(kind, before), settings_of(kind, replace(before, settings=settings))
    return [one.name for one in kind.settings if one.stays and old[one.name] != new[one.name]]


def _shared(kind: ConnectorKind, before: Target, after: Target, present: list[Target]) -> Refusal | None:
    """One privilege of one server is one target's: two would each take what the other gives for what somebody else gave.
    Only what is new is looked at; a server that has two names is not recognised."""
    where = _server(kind, after)
    added = set(after.managed) - (set(before.managed) if where == _server(kind, before) else set())
    for other in present if where else ():
        if other.id != after.id and other.kind == after.kind and _server(kind, other) == where:
            both = added & set(other.managed)
            if both:
                return bad(
                    "managed",
                    f"{other.name} manages {min(both)} of this server already: each of the two would take what the other gives "
                    "for what somebody else gave. Map it there.",
                )
    return None


def _server(kind: ConnectorKind, target: Target) -> tuple[str, ...]:
    """What says which server it is; () where nothing does."""
    settings = settings_of(kind, target)
    found = [settings[one.name] for one in kind.settings if one.place and one.stays and not one.secret]
    return tuple(text.casefold().rstrip("./") for text in found)


def _managed(
    tx: Transaction, kind: ConnectorKind, before: Target, given: tuple[str, ...] | None
) -> tuple[str, ...] | Refusal:
    if given is None:
        return before.managed
    if len(given) > _MOST_MANAGED:
        return bad("managed", f"At most {_MOST_MANAGED} entitlements for a target.")
    found: dict[str, None] = {}
    for text in given:
        named = entitlement_of(kind, text, "managed")
        if isinstance(named, Refusal):
            return named
        found[named] = None
    used = {one.entitlement for one in tx.targets.rules(before.id)} - found.keys()
    if used:
        return bad("managed", f"A mapping still gives {min(used)}. Delete that mapping first.")
    held = {one.edge.entitlement for one in tx.effects.of_target(before.id)} - found.keys()
    if held:
        return bad("managed", f"Somebody still has {min(held)} from here. Wait until it has been taken away.")
    return tuple(found)


def _with_secrets(
    deps: Deps, kind: ConnectorKind, before: Target, after: Target, given: Mapping[str, str] | None
) -> Target | Refusal:
    known = {one.name: one for one in kind.settings if one.secret}
    for key, text in (given or {}).items():
        if key not in known:
            return bad(
                f"secrets.{key}"[:100], f"{kind.title} has no such secret. It has: {', '.join(known)}."
            )
        if len(text) > LONGEST_SETTING or not storable(text):
            return bad(f"secrets.{key}", f"A secret has at most {LONGEST_SETTING} characters.")
    present = secrets_of(deps, kind, before) if before.name else {}
    if present is None:
        present = {}
        if not given:
            return unsealable()
    made = (
        kind.make_secrets({}, settings_of(kind, after), deps.clock())
        if kind.make_secrets is not None and not before.name
        else {}
    )
    moved = [
        one.name
        for one in kind.settings
        if one.place
        and not one.secret
        and settings_of(kind, before)[one.name] != settings_of(kind, after)[one.name]
    ]
    to_give = [key for key in present if key in known and key not in (given or {})]
    if before.name and moved and to_give:
        return bad(
            f"secrets.{to_give[0]}",
            "Give the secret again: it is not sent to another place than it was given for.",
        )
    secrets = {key: text for key, text in {**present, **made, **(given or {})}.items() if text}
    for key, one in known.items():
        if one.required and not secrets.get(key):
            return bad(f"secrets.{key}", f"Set it: {one.help}")
    if secrets == present and not moved and before.name:
        return after
    return replace(after, sealed=sealed(deps, kind, after, secrets))


def entitlement_of(kind: ConnectorKind, text: str, member: str) -> str | Refusal:
    if not storable(text) or len(text) > LONGEST_ENTITLEMENT:
        return bad(member, f"An entitlement has at most {LONGEST_ENTITLEMENT} characters.")
    try:
        named = kind.check_entitlement(text.strip())
    except BadNameError as error:
        return bad(member, f"{text.strip()[:100]!r}: {error}")
    return named if len(named) <= LONGEST_ENTITLEMENT else bad(member, "This name is too long.")


def unsealable() -> Refusal:
    return bad("secrets", "Its secrets were sealed with another key file. Set all of them again.")


def bad(member: str, message: str) -> Refusal:
    return Refusal(Code.INVALID, message, member=member)
