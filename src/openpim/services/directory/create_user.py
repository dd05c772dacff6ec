"""Create a user of the tenant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from openpim.core.caller import Caller
from openpim.core.directory import User, UserType
from openpim.core.directory_rules import user_faults
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.directory.performing import Done, invalid, not_found, perform
from openpim.services.directory.rights import may_create_users
from openpim.services.directory.targets import of_user


@dataclass(frozen=True, slots=True)
class NewUser:
    """What a new user is made of; the rest of `User` is ours to say."""

    display_name: str
    user_principal_name: str
    enabled: bool = True
    user_type: UserType = UserType.MEMBER
    mail: str | None = None
    given_name: str | None = None
    surname: str | None = None
    job_title: str | None = None
    department: str | None = None
    office_location: str | None = None
    mobile_phone: str | None = None
    employee_id: str | None = None
    manager_id: str | None = None


def create_user(deps: Deps, caller: Caller, new: NewUser) -> User | Refusal:
    """A user without credentials: a password or a one-time link comes from services.credentials."""
    user_id = deps.new_id()

    def work(tx: Transaction, now: datetime) -> Done[User] | Refusal:
        refusal = may_create_users(tx, caller, now)
        if refusal is not None:
            return refusal
        user = _made(user_id, new, now)
        refusal = check_user(tx, user)
        if refusal is not None:
            return refusal
        tx.users.add(user)
        return Done(user, (of_user(user),))

    return perform(deps, caller, "Add user", "UserManagement", work)


def _made(user_id: str, new: NewUser, now: datetime) -> User:
    return User(
        id=user_id,
        display_name=new.display_name,
        user_principal_name=new.user_principal_name,
        user_type=new.user_type,
        enabled=new.enabled,
        created_at=now,
        mail=new.mail,
        given_name=new.given_name,
        surname=new.surname,
        job_title=new.job_title,
        department=new.department,
        office_location=new.office_location,
        mobile_phone=new.mobile_phone,
        employee_id=new.employee_id,
        manager_id=new.manager_id,
    )


def check_user(tx: Transaction, user: User) -> Refusal | None:
    """Whether the user can be stored as it is: well-formed, with a free sign-in name and a manager that exists."""
    tenant = tx.tenants.current()
    if tenant is None:
        return not_found("tenant", tx.tenant_id)
    refusal = invalid(user_faults(user, tenant))
    if refusal is not None:
        return refusal
    other = tx.users.by_upn(user.user_principal_name)
    if other is not None and other.id != user.id:
        return Refusal(
            Code.CONFLICT,
            f"Another user already signs in as {user.user_principal_name}; choose another name.",
            member="user_principal_name",
        )
    if user.manager_id is not None and tx.users.get(user.manager_id) is None:
        return Refusal(Code.INVALID, "The manager is not a user of this tenant.", member="manager_id")
    return None
