"""The guard before the page: refuses requests by host, origin, password and size, and limits what browsers load."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

DEFAULT_HOST = "127.0.0.1"
LOOPBACK = frozenset({DEFAULT_HOST, "localhost", "::1"})
# Room for what a form holds besides files.
_FORM_BYTES = 1 << 20
# A request that is too large is read and ignored up to this many times the limit; then the connection is cut.
_READ_TIMES = 8
# The code with which websockets are closed.
_POLICY_VIOLATION = 1008
# Browsers load nothing from other machines, whatever Gradio asks for.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
)
_HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
]


class Guard:
    """ASGI middleware in front of everything.

    Args:
        application: that is guarded. largest_bytes: of one request. password: if given, browsers ask for it.
        hosts: that requests may name; None: any, for a page that is open to a network. Without this check, pages of
            other sites could reach this one through the visitor's browser.
    """

    def __init__(
        self,
        application: Application,
        *,
        largest_bytes: int,
        hosts: frozenset[str] | None,
        password: str | None = None,
    ) -> None:
        self._application, self._largest_bytes, self._hosts = application, largest_bytes, hosts
        self._password = None if password is None else password.encode()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Passes a request on, or answers it with a refusal."""
        if scope["type"] == "lifespan":  # start and end of the server
            await self._application(scope, receive, send)
            return
        if scope["type"] != "http":  # the page needs no websockets, and they would pass unchecked
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return
        headers = {name.lower(): value for name, value in scope["headers"]}
        try:
            refusal = self._refusal(headers)
        except ValueError:  # an address that is none, or a number with thousands of digits
            refusal = 400, "The headers of this request cannot be understood."
        if refusal is not None:
            await _ignore(receive, _READ_TIMES * self._largest_bytes)
            await _answer(send, *refusal)
            return
        counted = _Counted(receive, self._largest_bytes + _FORM_BYTES)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                names = {name for name, _ in _HEADERS}
                kept = [(name, value) for name, value in message.get("headers", []) if name.lower() not in names]
                message["headers"] = [*kept, *_HEADERS]
            await send(message)

        await self._application(scope, counted, with_headers)

    def _refusal(self, headers: dict[bytes, bytes]) -> tuple[int, str] | None:
        """Returns status and message for a request that is not answered.

        Raises:
            ValueError: a header cannot be understood.
        """
        host = headers.get(b"host", b"").decode("latin-1")
        if self._hosts is not None and urlsplit(f"//{host}").hostname not in self._hosts:
            return 403, "This page is asked for by another name than it has."
        origin = headers.get(b"origin", b"").decode("latin-1")
        if origin and urlsplit(origin).netloc != host:
            return 403, "Another site asks for this."
        if self._password is not None and not self._knows_password(headers.get(b"authorization", b"")):
            return 401, "A password is needed."
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > self._largest_bytes + _FORM_BYTES:
            return 413, f"Files of more than {self._largest_bytes >> 20} MiB are put into the folder instead."
        return None

    def _knows_password(self, given: bytes) -> bool:
        kind, _, encoded = given.partition(b" ")
        try:
            words = base64.b64decode(encoded, validate=True)
        except ValueError:
            return False
        return kind.lower() == b"basic" and hmac.compare_digest(words.partition(b":")[2], self._password or b"")


class _Counted:
    """Receives a request, and ends it once it is larger than allowed, whatever its headers say."""

    def __init__(self, receive: Receive, largest_bytes: int) -> None:
        self._receive, self._left = receive, largest_bytes

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        return message if self._left >= 0 else {"type": "http.disconnect"}


async def _ignore(receive: Receive, most_bytes: int) -> None:
    """Reads the rest of a request and ignores it, since browsers read no answer while they send."""
    while most_bytes >= 0:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body"):
            return
        most_bytes -= len(message.get("body", b""))


async def _answer(send: Send, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    if status == 401:
        headers.append((b"www-authenticate", b'Basic realm="vidstyle studio", charset="UTF-8"'))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
