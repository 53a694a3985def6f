"""The guard: which requests are answered, and with which headers."""

import asyncio
import base64

import pytest

from vidstyle.studio.guard import LOOPBACK, Guard

HOST = (b"host", b"127.0.0.1:7860")


async def page(scope, receive, send):
    body = b""
    while (message := await receive())["type"] == "http.request":
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-seen", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": message["type"].encode()})


def ask(*headers, chunks=(b"",), **options):
    """Returns status, headers and text of the answer to a request."""
    sent = []
    left = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    left[-1]["more_body"] = False

    async def receive():
        return left.pop(0)

    async def send(message):
        sent.append(message)

    guard = Guard(page, **{"largest_bytes": 1 << 20, "hosts": LOOPBACK} | options)
    asyncio.run(guard({"type": "http", "headers": list(headers)}, receive, send))
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"].decode()


def test_websockets_are_closed_and_the_servers_own_word_passes():
    passed, sent = [], []

    async def application(scope, receive, send):
        passed.append(scope["type"])

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "websocket.connect"}

    guard = Guard(application, largest_bytes=1 << 20, hosts=LOOPBACK, password="brush")
    for kind in ("lifespan", "websocket"):
        asyncio.run(guard({"type": kind, "headers": [HOST]}, receive, send))
    assert passed == ["lifespan"]
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_answers_may_load_nothing_from_elsewhere():
    status, headers, _ = ask(HOST)
    policy = headers[b"content-security-policy"].decode()
    assert status == 200
    assert "http:" not in policy
    assert "https:" not in policy
    assert "*" not in policy
    assert policy.startswith("default-src 'self'")


@pytest.mark.parametrize("host", [b"localhost:1", b"127.0.0.1", b"[::1]:7860"])
def test_loopback_names_are_answered(host):
    assert ask((b"host", host))[0] == 200


@pytest.mark.parametrize("headers", [[(b"host", b"evil.example")], [(b"host", b"127.0.0.1.evil.example:7860")], []])
def test_other_names_are_not(headers):
    assert ask(*headers)[0] == 403


def test_a_page_open_to_a_network_has_any_name():
    assert ask((b"host", b"painter.local"), hosts=None)[0] == 200


def test_other_sites_are_refused():
    assert ask(HOST, (b"origin", b"http://127.0.0.1:7860"))[0] == 200
    assert ask(HOST, (b"origin", b"http://evil.example"))[0] == 403
    assert ask(HOST, (b"origin", b"http://127.0.0.1:8080"))[0] == 403
    assert ask(HOST, (b"origin", b"null"))[0] == 403


def test_large_requests_are_refused_whatever_they_say():
    assert ask(HOST, (b"content-length", str(3 << 20).encode()))[0] == 413
    assert ask(HOST, (b"content-length", b"-1"))[0] == 413
    assert ask(HOST, chunks=[b"0" * (1 << 20)] * 2)[2] == "http.request"
    assert ask(HOST, chunks=[b"0" * (1 << 20)] * 3)[2] == "http.disconnect"


@pytest.mark.parametrize(
    "headers",
    [[(b"host", b"[::1")], [HOST, (b"origin", b"http://[")], [HOST, (b"content-length", b"1" * 5000)]],
)
def test_headers_that_cannot_be_understood_are_refused_in_a_line(headers):
    status, _, text = ask(*headers)
    assert (status, text) == (400, "The headers of this request cannot be understood.")


def test_a_password_is_asked_for():
    def given(text):
        return b"authorization", b"Basic " + base64.b64encode(text)

    status, headers, _ = ask(HOST, password="brush")
    assert status == 401
    assert headers[b"www-authenticate"].startswith(b"Basic")
    assert ask(HOST, given(b"me:brush"), password="brush")[0] == 200
    assert ask(HOST, given(b"me:Brush"), password="brush")[0] == 401
    assert ask(HOST, given(b"brush"), password="brush")[0] == 401
    assert ask(HOST, (b"authorization", b"Basic ???"), password="brush")[0] == 401
    assert ask(HOST, (b"authorization", b"Bearer brush"), password="brush")[0] == 401
