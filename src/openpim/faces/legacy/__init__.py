"""The dialect of older tools: `/api/v2/privilegedAccess/{aadGroups|aadRoles|azureResources}/…`.

It is Graph's predecessor, so this face is built on Graph's: the same requests, answers and errors, over the same acts.
Only what such tools still use is here: reading assignments, asking, and looking up resources.
"""

from __future__ import annotations

from openpim.faces.legacy.dispatch import routes

__all__ = ["routes"]
