"""The few built-in roles whose meaning the rules themselves depend on (template ids are Microsoft Entra's)."""

from __future__ import annotations

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
PRIVILEGED_ROLE_ADMINISTRATOR = "e8611ab8-c189-46e8-94e1-60213ab1f814"
GLOBAL_READER = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
SECURITY_READER = "5d6b6bb7-de71-4623-b4af-96380a352509"
SECURITY_ADMINISTRATOR = "194ae4cb-b126-40b2-bd5b-6091b380977d"
USER_ADMINISTRATOR = "fe930be7-5e62-47db-91af-98c3a49a38b1"
GROUPS_ADMINISTRATOR = "fdd7a751-b60b-444a-984c-02652fe8fa1c"
APPLICATION_ADMINISTRATOR = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"
PRIVILEGED_AUTHENTICATION_ADMINISTRATOR = "7be44c8a-adaf-4e2a-84d6-ab2649e08a13"
DIRECTORY_WRITERS = "9360feb5-f418-4baa-8175-e2a00bac4301"
IDENTITY_GOVERNANCE_ADMINISTRATOR = "45d8d3c5-c802-45c6-b32a-1d70b5e1e86e"
CONDITIONAL_ACCESS_ADMINISTRATOR = "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9"

PROTECTED = frozenset({GLOBAL_ADMINISTRATOR, PRIVILEGED_ROLE_ADMINISTRATOR})  # the last one cannot be lost
MANAGERS = frozenset(
    {GLOBAL_ADMINISTRATOR, PRIVILEGED_ROLE_ADMINISTRATOR}
)  # may change assignments and policies
READERS = MANAGERS | {GLOBAL_READER, SECURITY_READER, SECURITY_ADMINISTRATOR}  # may read others' assignments


def role_key(role_id: str) -> str:
    """The reviewer key of everyone who holds a role."""
    return f"role:{role_id}"


def scoped_role_key(role_id: str, scope: str) -> str:
    """The reviewer key of everyone who holds a resource role at exactly this scope."""
    return f"at:{scope}:{role_id}"


def is_role_key(key: str) -> bool:
    """Whether a reviewer key stands for the holders of a role, not for one user or group."""
    return key.startswith(("role:", "at:"))


def read_role_key(key: str) -> tuple[str, str | None]:
    """(role id, resource scope); the scope is None for a directory role."""
    if key.startswith("role:"):
        return key.removeprefix("role:"), None
    scope, _, role_id = key.removeprefix("at:").rpartition(":")
    return role_id, scope


DEFAULT_REVIEWERS = frozenset({role_key(GLOBAL_ADMINISTRATOR), role_key(PRIVILEGED_ROLE_ADMINISTRATOR)})
