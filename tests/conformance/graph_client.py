"""msgraph-sdk as a user points it at a server of his own: nothing but documented options."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from azure.identity import ClientSecretCredential, InteractiveBrowserCredential
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.o_data_errors.o_data_error import ODataError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from tests.conformance.conftest import Browsers
    from tests.live.robot import Robot
    from tests.live.server import LiveServer

ERRORS = {"XXX": ODataError}


@asynccontextmanager
async def client_for(
    server: LiveServer, credential: Any, version: str = "v1.0"
) -> AsyncIterator[GraphServiceClient]:
    """The SDK takes the scope from the address: https://localhost/.default, without the port.

    It never closes its connections by itself, and they must not outlive the event loop.
    """
    adapter = GraphRequestAdapter(AzureIdentityAuthenticationProvider(credential))
    adapter.base_url = f"{server.origin}/{version}"
    try:
        yield GraphServiceClient(request_adapter=adapter)
    finally:
        await adapter._http_client.aclose()


class Seat:
    """A person at his machine: SDK clients that sign in through the machine's browser when they have to."""

    def __init__(self, server: LiveServer, browsers: Browsers, robot: Robot) -> None:
        self.server, self.browsers, self.robot = server, browsers, robot
        self.person = robot.person
        self._credential = InteractiveBrowserCredential(
            authority=server.origin, disable_instance_discovery=True, tenant_id=server.tenant_id, timeout=60
        )

    def do(
        self, story: Callable[[GraphServiceClient], Coroutine[Any, Any, Any]], version: str = "v1.0"
    ) -> Any:
        self.browsers.robot = self.robot

        async def whole() -> Any:
            async with client_for(self.server, self._credential, version) as client:
                return await story(client)

        return asyncio.run(whole())


def as_application(
    server: LiveServer, story: Callable[[GraphServiceClient], Coroutine[Any, Any, Any]]
) -> Any:
    application = server.facts["application"]

    async def whole() -> Any:
        with ClientSecretCredential(
            server.tenant_id,
            application["app_id"],
            application["secret"],
            authority=server.origin,
            disable_instance_discovery=True,
        ) as credential:
            async with client_for(server, credential) as client:
                return await story(client)

    return asyncio.run(whole())


def request(client: GraphServiceClient, method: Method, path: str, body: Any = None) -> RequestInformation:
    """For what the v1.0 SDK has no builder for (approvals of roles are in beta only)."""
    info = RequestInformation()
    info.http_method = method
    info.url = f"{client.request_adapter.base_url}/{path}"
    if body is not None:
        info.set_content_from_parsable(client.request_adapter, "application/json", body)
    return info
