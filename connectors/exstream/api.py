"""The calls this connector makes to Exstream, typed, and nothing else."""

import asyncio
from collections.abc import Mapping
from urllib.parse import quote

from connectors.exstream.settings import Settings, Template
from connectors.http import ClientCredentials, Http, Limits, Response, Wire

# Everything else of the error table is the HTTP client's to judge; these carry a reason in their body.
_READABLE = frozenset({*range(200, 300), 400, 404, 406, 409, 413, 415, 422, 500})


class Api:
    """On-demand composition. A repeat composes again and does no harm, so every call is safe."""

    def __init__(self, settings: Settings, http: Http) -> None:
        self._settings, self._http = settings, http
        self._slots = asyncio.Semaphore(settings.concurrency)

    async def generate(self, template: Template, driver: bytes) -> Response:
        """The answer of Exstream, good or bad. Raises Retry and Misconfigured."""
        path = self._settings.generate_path.format(domain=quote(self._settings.domain, safe=""))
        async with self._slots:
            return await self._http.send(
                "generate",
                "POST",
                path,
                content=driver,
                headers=self._headers(template),
                safe=True,
                expect=_READABLE,
            )

    def _headers(self, template: Template) -> Mapping[str, str]:
        headers = {
            self._settings.communication_header: template.communication_id,
            self._settings.data_source_header: template.data_source,
            "content-type": "application/json",
        }
        return headers | ({"accept": template.accept} if template.accept else {})


def connect(settings: Settings, wire: Wire) -> Api:
    """The API over `wire`, with its own limits and a token cache."""
    limits = Limits(
        rate_per_s=settings.rate_per_s,
        timeout_s=settings.timeout_s,
        connect_timeout_s=settings.connect_timeout_s,
        attempts=settings.attempts,
    )
    auth = ClientCredentials(
        settings.token_url, settings.client_id, settings.client_secret, settings.scope, settings.client_auth
    )
    return Api(settings, wire.client("exstream", settings.base_url, auth, limits))
