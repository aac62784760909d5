"""Composes documents with Exstream on demand.

Exstream knows no idempotency key: a repeat renders again, which does no harm, because what is kept is decided by the
document id upstream. A failure that concerns one template or one record rejects that record; the sink goes on.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from connectors.exstream.answers import outputs
from connectors.exstream.api import Api, connect
from connectors.exstream.mapping import documents, driver
from connectors.exstream.settings import ANY, Settings, Template
from connectors.http import Wire
from schemas.models import CompositionRequest, Document
from streams.errors import Reject


class Client:
    """Implements `Compose`."""

    def __init__(self, settings: Settings, api: Api, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._settings, self._api, self._now = settings, api, now

    async def compose(self, request: CompositionRequest) -> Sequence[Document]:
        """One document per output file, in the order of Exstream's answer. Raises Retry, Reject, Misconfigured."""
        template = self._template(request)
        answer = await self._api.generate(template, driver(request))
        files = outputs(answer.status, answer.headers.get("content-type", ""), answer.body, template.accept)
        size, limit = sum(len(file.content) for file in files), self._settings.max_output_bytes
        if size > limit:
            detail = f"document {request.document_id}: {size} bytes in {len(files)} outputs, limit {limit}"
            raise Reject("too_large", f"{detail}; shrink the template or raise TIDINGS_EXSTREAM_MAX_OUTPUT_BYTES")
        return documents(request, files, self._now(), self._settings.extensions)

    def _template(self, request: CompositionRequest) -> Template:
        for name in (request.template, request.type, ANY):
            if template := self._settings.templates.get(name):
                return template
        detail = f"no Exstream communication for template {request.template!r} of type {request.type!r}"
        raise Reject("config_template", f"{detail}; add it to TIDINGS_EXSTREAM_TEMPLATES")


def open_client(settings: Settings, wire: Wire) -> Client:
    """The client of one environment."""
    return Client(settings, connect(settings, wire))
