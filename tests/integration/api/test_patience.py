"""Who sends the head of a request drop by drop loses the connection; everybody else is served."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest
import uvicorn

from api import patience
from api.patience import PatientProtocol


async def app(scope: Any, receive: Any, send: Any) -> None:
    assert scope["type"] == "http"
    await receive()
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


def test_a_head_that_never_ends_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "HEAD_S", 0.1)
    server = uvicorn.Server(uvicorn.Config(app, http=PatientProtocol, lifespan="off", log_level="error"))
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        for head in (b"", b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: "):
            with socket.create_connection(listener.getsockname(), timeout=20) as slow:
                slow.sendall(head)
                assert slow.recv(100) == b"", "closed without an answer"
        with socket.create_connection(listener.getsockname(), timeout=20) as honest:
            for _ in range(2):
                honest.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
                assert honest.recv(100).startswith(b"HTTP/1.1 204")
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
