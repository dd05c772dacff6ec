"""Ids built out of ids, checked against the documented samples."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpim.wire import ids
from openpim.wire.ids import IdError, InstanceId

guids = st.uuids().map(str)
scopes = st.one_of(
    st.just("/"), guids.map(lambda g: f"/{g}"), guids.map(lambda g: f"/administrativeUnits/{g}")
)

SAMPLES = [
    ("5wuT_mJe20eRr5jDpJo4sUZl7gMT8cVOup3lc4GwySg-1",
     "fe930be7-5e62-47db-91af-98c3a49a38b1", "03ee6546-f113-4ec5-ba9d-e57381b0c928", "/", False),
    ("lAPpYvVpN0KRkAEhdxReECssmvzcHW1IohFf6Mp3-h8-1",
     "62e90394-69f5-4237-9190-012177145e10", "fc9a2c2b-1ddc-486d-a211-5fe8ca77fa1f", "/", False),
    ("4-PYiFWPHkqVOpuYmLiHa_8KmpPnrkhHmG41_UYRbUY-1",
     "88d8e3e3-8f55-4a1e-953a-9b9898b8876b", "939a0aff-aee7-4748-986e-35fd46116d46", "/", False),
    ("kl2Jm9Msx0SdAqasLV6lw516k2sxx1tGqEQtW1NowWEQEx5mdr2VR4mnjzyPhVv8-1",
     "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", "6b937a9d-c731-465b-a844-2d5b5368c161",
     "/661e1310-bd76-4795-89a7-8f3c8f855bfc", False),
    ("8MYkhImhnkm70CbBdTyW1BbHHAdHgZdDpbqyEFlRzAs-1-e",
     "8424c6f0-a189-499e-bbd0-26c1753c96d4", "071cc716-8147-4397-a5ba-b2105951cc0b", "/", True),
    ("UafX_Qu2SkSYTAJlL-j6HCssmvzcHW1IohFf6Mp3-h9xbmLcN0jrQL5KvCnYihF4-2-e",
     "fdd7a751-b60b-444a-984c-02652fe8fa1c", "fc9a2c2b-1ddc-486d-a211-5fe8ca77fa1f",
     "/administrativeUnits/dc626e71-4837-40eb-be4a-bc29d88a1178", True),
]  # fmt: skip


@pytest.mark.parametrize(("text", "role", "principal", "scope", "eligible"), SAMPLES)
def test_instance_ids_match_the_samples(
    text: str, role: str, principal: str, scope: str, eligible: bool
) -> None:
    assert ids.encode_instance_id(role, principal, scope, eligible=eligible) == text
    assert ids.decode_instance_id(text) == InstanceId(role, principal, scope, eligible)


@given(guids, guids, scopes, st.booleans())
def test_instance_ids_read_back(role: str, principal: str, scope: str, eligible: bool) -> None:
    text = ids.encode_instance_id(role.upper(), principal, scope, eligible=eligible)
    assert ids.decode_instance_id(text) == (role, principal, scope, eligible)
    assert uuid.UUID(role).bytes_le == ids._le_bytes(role)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5wuT_mJe20eRr5jDpJo4sUZl7gMT8cVOup3lc4GwySg",
        "5wuT_mJe20eRr5jDpJo4sUZl7gMT8cVOup3lc4GwySg-3",
        "5wuT_mJe20eRr5jDpJo4sUZl7gMT8cVOup3lc4GwySg-2",  # an administrative unit, but none named
        "5wuT_mJe20eRr5jDpJo4sUZl7gMT8cVOup3lc4GwySh-1",  # spare bits set: another spelling of the same
        "5wuT_mJe20eRr5jDpJo4sUZl7gMT8cVOup3lc4GwySg-1-f",
        "5wuT_mJe20eRr5jDpJo4sUZl7gMT8cVOup3lc4GwySg-1\n",
        "5wuT+mJe20eRr5jDpJo4sUZl7gMT8cVOup3lc4GwySg-1",
        "fe930be7-5e62-47db-91af-98c3a49a38b1",
        "A" * 100_000,
    ],
)
def test_other_texts_are_no_instance_ids(text: str) -> None:
    with pytest.raises(IdError):
        ids.decode_instance_id(text)


@pytest.mark.parametrize("scope", ["", "/x", "/administrativeUnits/", "/administrativeUnits/x", "//"])
def test_a_scope_that_names_no_object_has_no_instance_id(scope: str) -> None:
    with pytest.raises(IdError):
        ids.encode_instance_id(SAMPLES[0][1], SAMPLES[0][2], scope)


@given(st.text(alphabet="ABCabc019-_", min_size=40, max_size=70))
def test_whatever_decodes_encodes_to_itself(text: str) -> None:
    try:
        decoded = ids.decode_instance_id(text)
    except IdError:
        return
    assert ids.encode_instance_id(*decoded[:3], eligible=decoded.eligible) == text


GROUP = "2b5ed229-4072-478d-9504-a047ebd4b07d"
GUID = "365163ce-df68-40b8-a782-1824c9eb7bcc"


def test_group_schedule_ids() -> None:
    text = f"{GROUP}_member_{GUID}"
    assert ids.group_schedule_id(GROUP.upper(), "Member", GUID) == text
    assert ids.parse_group_schedule_id(text) == (GROUP, "member", GUID)
    for bad in (
        "",
        GUID,
        f"{GROUP}_guest_{GUID}",
        f"{GROUP}_member",
        f"{GROUP}_member_{GUID}_x",
        f"x_member_{GUID}",
    ):
        with pytest.raises(IdError):
            ids.parse_group_schedule_id(bad)


def test_policy_ids() -> None:
    text = f"DirectoryRole_{GROUP}_{GUID}"
    assert ids.policy_id("directoryrole", GROUP, GUID) == text
    assert ids.parse_policy_id(text) == ("DirectoryRole", GROUP, GUID)
    assert ids.parse_policy_id(f"group_{GROUP}_{GUID}").scope_type == "Group"
    for bad in (
        "",
        text + "_x",
        f"Role_{GROUP}_{GUID}",
        f"Group_x_{GUID}",
        f"Group_{GROUP}_x",
        "_" * 100_000,
    ):
        with pytest.raises(IdError):
            ids.parse_policy_id(bad)


def test_policy_assignment_ids() -> None:
    policy = f"Directory_{GROUP}_{GUID}"
    role = "62e90394-69f5-4237-9190-012177145e10"
    text = ids.policy_assignment_id(policy, role.upper())
    assert text == f"{policy}_{role}"
    assert ids.parse_policy_assignment_id(text) == (("Directory", GROUP, GUID), role)
    group = ids.policy_assignment_id(f"Group_{GROUP}_{GUID}", "Owner")
    assert ids.parse_policy_assignment_id(group).role == "owner"
    for bad in (policy, f"{policy}_guest", f"{policy}_{role}_x"):
        with pytest.raises(IdError):
            ids.parse_policy_assignment_id(bad)


def test_alert_ids() -> None:
    text = f"DirectoryRole_{GROUP}_StaleSignInAlert"
    assert ids.alert_id("DirectoryRole", GROUP, "StaleSignInAlert") == text
    assert ids.parse_alert_id(text) == ("DirectoryRole", GROUP, "StaleSignInAlert")
    with pytest.raises(IdError):
        ids.parse_alert_id(f"DirectoryRole_{GROUP}_Stale SignIn")


@given(st.text(max_size=40))
def test_is_guid_only_for_guids(text: str) -> None:
    assert not ids.is_guid(text) or str(uuid.UUID(text)) == text.lower()


@given(guids)
def test_is_guid(text: str) -> None:
    assert ids.is_guid(text)
    assert ids.is_guid(text.upper())
    assert not ids.is_guid(text + "\n")
    assert not ids.is_guid("{" + text + "}")
    assert not ids.is_guid(text.replace("-", ""))
