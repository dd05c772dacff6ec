"""The directory of the demo organisation: people, groups, units, applications, a role of its own, guests."""

from __future__ import annotations

from openpim.core.directory import Tenant
from openpim.demo.people import COMPANY, DOMAIN, PEOPLE, STUDIO, STUDIO_DOMAIN, STUDIO_PEOPLE, Person
from openpim.demo.seeding import Seeding, must
from openpim.services.directory.administrative_units import add_unit_member, create_unit
from openpim.services.directory.applications import NewApplication, create_application
from openpim.services.directory.create_group import NewGroup, create_group
from openpim.services.directory.create_tenant import create_tenant
from openpim.services.directory.create_user import NewUser, create_user
from openpim.services.directory.custom_roles import NewRole, create_role
from openpim.services.directory.group_members import add_member
from openpim.services.directory.invite_guest import invite_guest
from openpim.services.directory.service_principals import create_service_principal, update_service_principal
from openpim.services.directory.update_user import set_enabled

CUSTOM_ROLE = "App Registration Auditor"

# name: (description, role-assignable, owners, members); members may be groups made above.
GROUPS: dict[str, tuple[str, bool, str, str]] = {
    "Platform Engineering": ("Who builds the platform", False, "kwame", "mira yuki callum elif marek"),
    "On-Call Engineers": ("Who answers the pager this quarter", True, "kwame", "mira yuki callum"),
    "Tier 1 Support": ("First line of the service desk", True, "hanne", "oskar amina piotr"),
    "Support Operations": ("The whole service desk", True, "hanne dana", "hanne"),
    "Identity Team": ("Who looks after identities", True, "dana ravi", "dana farid"),
    "Security Operations": ("Who watches and responds", True, "tomas ravi", "tomas lucia arvid"),
    "Collaboration Admins": ("Mail, meetings and documents", True, "jonas", "jonas priya"),
    "Change Advisory Board": ("Approves risky changes", False, "noor", "noor jonas ines kwame"),
    "Robotics Research": ("Research and prototypes", False, "sofia", "sofia anton chidi leila"),
    "Plant Lisbon": ("Everyone at the plant", False, "bruno", "bruno catarina diogo rui"),
    "Finance": ("Finance and procurement", False, "helene", "helene wen greta matteo"),
    "Field Service": ("Engineers at customers' sites", False, "nadia", "nadia viktor zanele liam"),
    "sg-admins": ("Runs the platform's subscriptions", True, "ravi", ""),
    "sg-payments": ("Repairs payments by hand", True, "helene tomas", ""),
    "Design Partners": ("People of partner companies", False, "sofia", "chidi"),
}
EVERYONE = "All Employees"
UNITS = {
    "Oslo Office": ("Everyone who works in Oslo", "Oslo"),
    "Lisbon Plant": ("Plant and people in Lisbon", "Lisbon"),
    "Remote Workforce": ("Everyone who works elsewhere", "Remote"),
}
APPLICATIONS = {
    "Release Pipeline": ("RoleManagement.Read.Directory",),
    "Compliance Exporter": ("AuditLog.Read.All", "Directory.Read.All", "RoleManagement.Read.All"),
    "Backup Agent": ("Directory.Read.All",),
}


def make_studio(seeding: Seeding) -> Tenant:
    """The second, small tenant."""
    tenant = must(
        create_tenant(seeding.deps, seeding.system, STUDIO, STUDIO_DOMAIN, tenant_id=seeding.tenant_id)
    )
    for person in STUDIO_PEOPLE:
        _add(seeding, person, STUDIO_DOMAIN)
    return tenant


def make_company(seeding: Seeding) -> Tenant:
    """The organisation itself, without any role in anybody's hands."""
    tenant = must(create_tenant(seeding.deps, seeding.system, COMPANY, DOMAIN, tenant_id=seeding.tenant_id))
    for person in PEOPLE:
        _add(seeding, person, DOMAIN)
    for number in ("1", "2"):
        emergency = NewUser(f"Emergency Access {number}", f"emergency{number}@{DOMAIN}")
        seeding.ids[f"emergency{number}"] = must(create_user(seeding.deps, seeding.system, emergency)).id
    must(set_enabled(seeding.deps, seeding.system, seeding.ids["ebba"], False))
    _invite(seeding)
    _group(seeding)
    _divide(seeding)
    _register(seeding)
    role = NewRole(
        CUSTOM_ROLE,
        ("microsoft.directory/applications/standard/read", "microsoft.directory/applications/owners/read"),
        description="Looks at application registrations and their owners, and changes nothing",
    )
    seeding.ids[CUSTOM_ROLE] = must(create_role(seeding.deps, seeding.system, role)).id
    return tenant


def _add(seeding: Seeding, person: Person, domain: str) -> None:
    new = NewUser(
        display_name=person.name,
        user_principal_name=f"{person.mailbox}@{domain}",
        mail=f"{person.mailbox}@{domain}",
        given_name=person.given,
        surname=person.surname,
        job_title=person.title,
        department=person.department,
        office_location=person.office,
        manager_id=seeding.ids[person.manager] if person.manager else None,
    )
    seeding.ids[person.key] = must(create_user(seeding.deps, seeding.system, new)).id


def _invite(seeding: Seeding) -> None:
    for key, address, name in (
        ("bea", f"{STUDIO_PEOPLE[1].mailbox}@{STUDIO_DOMAIN}", STUDIO_PEOPLE[1].name),
        ("auditor", "casper.nordvall@ledgerline.example", "Casper Nordvall"),
    ):
        seeding.ids[key] = must(invite_guest(seeding.deps, seeding.system, address, name)).id


def _group(seeding: Seeding) -> None:
    for name, (description, assignable, owners, members) in GROUPS.items():
        new = NewGroup(
            name,
            description=description,
            mail_nickname=name.lower().replace(" ", "-"),
            role_assignable=assignable,
            owners=[seeding.ids[key] for key in owners.split()],
            members=[seeding.ids[key] for key in members.split()],
        )
        seeding.ids[name] = must(create_group(seeding.deps, seeding.system, new)).id
    must(
        add_member(
            seeding.deps, seeding.system, seeding.ids["Support Operations"], seeding.ids["Tier 1 Support"]
        )
    )
    must(add_member(seeding.deps, seeding.system, seeding.ids["Design Partners"], seeding.ids["bea"]))
    rule = '(user.userType -eq "Member") and (user.accountEnabled -eq true)'
    everyone = must(
        create_group(
            seeding.deps, seeding.system, NewGroup(EVERYONE, description="By rule", membership_rule=rule)
        )
    )
    seeding.ids[EVERYONE] = everyone.id
    tx = seeding.tx.in_tenant(seeding.tenant_id)
    everybody = tx.principals.many([seeding.ids[person.key] for person in PEOPLE])
    for member in everybody.values():
        if member.enabled:
            tx.groups.add_member(everyone.id, member)


def _divide(seeding: Seeding) -> None:
    for name, (description, office) in UNITS.items():
        unit = must(create_unit(seeding.deps, seeding.system, name, description))
        seeding.ids[name] = unit.id
        for person in PEOPLE:
            if person.office == office:
                must(add_unit_member(seeding.deps, seeding.system, unit.id, seeding.ids[person.key]))
    for unit_name, group in (("Lisbon Plant", "Plant Lisbon"), ("Remote Workforce", "Field Service")):
        must(add_unit_member(seeding.deps, seeding.system, seeding.ids[unit_name], seeding.ids[group]))


def _register(seeding: Seeding) -> None:
    for name, permissions in APPLICATIONS.items():
        application = must(create_application(seeding.deps, seeding.system, NewApplication(name)))
        face = must(create_service_principal(seeding.deps, seeding.system, application.app_id))
        must(update_service_principal(seeding.deps, seeding.system, face.id, {"permissions": permissions}))
        seeding.ids[name] = face.id
        seeding.ids[f"{name} (client)"] = application.app_id
    must(
        update_service_principal(
            seeding.deps, seeding.system, seeding.ids["Backup Agent"], {"enabled": False}
        )
    )
