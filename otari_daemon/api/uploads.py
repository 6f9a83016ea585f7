"""The resource for billable endpoints that take a form with files."""

from __future__ import annotations

import tempfile
from collections.abc import Callable

from falcon.asgi import Request, Response

from otari_daemon.api.credentials import credential
from otari_daemon.api.forms import read_form
from otari_daemon.api.headers import REQUEST_ID, NobodyWatches
from otari_daemon.api.idempotency import idempotency_key
from otari_daemon.api.inference import READER, answer_error, tell_reply
from otari_daemon.domain.errors import GatewayError, InvalidRequest, Overloaded, ReaderLeft
from otari_daemon.pipeline.gateway import Call, Gateway
from otari_daemon.pipeline.replies import Reply
from otari_daemon.wire.request_tags import tags_header
from otari_daemon.wire.uploads import UploadDialect

UPLOADS_MAX = 64
"""At once, of one endpoint: so many spools on disk."""


class UploadResource:
    """`POST` of one dialect. The form is read whole before anything is held or asked.

    So its fields may stand in any order, the sizes of its files are known, and a slow sender occupies neither
    a budget nor a provider.
    """

    def __init__(self, dialect: UploadDialect, gateway: Callable[[], Gateway]) -> None:
        self._dialect = dialect
        self._gateway = gateway
        self._spools = 0

    async def on_post(self, req: Request, resp: Response) -> None:
        """Authenticate before the form is read; then the pipeline."""
        gateway = self._gateway()
        request_id: str = req.scope[REQUEST_ID]
        try:
            reply = await self._serve(req, gateway, request_id)
        except GatewayError as error:
            answer_error(resp, self._dialect, error, request_id)
        except ReaderLeft:
            resp.status = 499
        else:
            tell_reply(resp, reply)

    async def _serve(self, req: Request, gateway: Gateway, request_id: str) -> Reply:
        headers = req.scope["headers"]
        caller = await gateway.authenticate(credential(headers), request_id, self._dialect.endpoint)
        if idempotency_key(headers) is not None:
            raise InvalidRequest("an idempotency key cannot name an upload; leave it out")
        if self._spools >= UPLOADS_MAX:
            raise Overloaded("too many uploads are under way; retry")
        self._spools += 1
        try:
            with tempfile.TemporaryFile() as spool:
                form = await read_form(req, spool, self._dialect.files_bytes_max)
                reader = req.scope.get(READER) or NobodyWatches()
                body, tags = form.described(), tags_header(headers)
                return await gateway.complete(
                    Call(self._dialect, caller, request_id, body, reader, tags=tags, form=form)
                )
        finally:
            self._spools -= 1
