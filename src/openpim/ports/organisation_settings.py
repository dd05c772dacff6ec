"""The settings of the organisation: one row for each tenant."""

from __future__ import annotations

from typing import Protocol

from openpim.core.organisation_settings import OrganisationSettings as Values


class OrganisationSettings(Protocol):
    def get(self) -> Values:
        """As saved last; the defaults where nothing was saved. Who reads to save holds `lock_tenant`."""
        ...

    def save(self, values: Values) -> None: ...
