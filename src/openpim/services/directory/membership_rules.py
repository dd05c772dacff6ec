"""Who may be put in a group, and who may own one."""

from __future__ import annotations

from datetime import datetime

from openpim.core.directory import Group, Principal, PrincipalKind
from openpim.core.refusals import Code, Refusal
from openpim.ports.store import Transaction


def writable(group: Group) -> Refusal | None:
    """Dynamic groups follow their rule, synchronised ones another directory; nobody writes their members here."""
    if group.dynamic:
        return Refusal(
            Code.SUBJECT_NOT_ALLOWED,
            f"The members of {group.display_name} follow its membership rule; change the rule instead.",
        )
    if group.synced:
        return Refusal(
            Code.SUBJECT_NOT_ALLOWED,
            f"{group.display_name} is synchronised from another directory; change its members there.",
        )
    return None


def member_to_add(tx: Transaction, group: Group, member_id: str, now: datetime) -> Principal | Refusal:
    """The principal, if it may become a member.

    Into a group that roles can be assigned to go people, applications, and groups of the same sort: through any
    other group somebody without a say over roles could let people in.
    """
    refusal = writable(group)
    if refusal is not None:
        return refusal
    member = tx.principals.get(member_id)
    if member is None:
        return Refusal(Code.SUBJECT_MISSING, f"There is no principal {member_id:.100}.", member="member_id")
    if member.kind is not PrincipalKind.GROUP:
        return member
    if member.id == group.id:
        return Refusal(Code.INVALID, "A group cannot be a member of itself.", member="member_id")
    if member.id in tx.groups.groups_of(group.id, now):
        return Refusal(
            Code.INVALID,
            f"{group.display_name} is itself inside {member.display_name}: that would be a circle.",
            member="member_id",
        )
    inner = tx.groups.get(member.id)
    if group.role_assignable and (inner is None or not inner.role_assignable):
        return Refusal(
            Code.SUBJECT_NOT_ALLOWED,
            f"Roles can be assigned to {group.display_name}, so only groups of the same sort may be put in it.",
            member="member_id",
        )
    return member


def owner_to_add(tx: Transaction, owner_id: str) -> Principal | Refusal:
    """Owners are people and applications, never groups."""
    owner = tx.principals.get(owner_id)
    if owner is None:
        return Refusal(Code.SUBJECT_MISSING, f"There is no principal {owner_id:.100}.", member="owner_id")
    if owner.kind is PrincipalKind.GROUP:
        return Refusal(Code.SUBJECT_NOT_ALLOWED, "A group cannot own a group.", member="owner_id")
    return owner
