"""The probes as ASGI and WSGI applications."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias

from shared.core.loops import running_loop

from .respond import PREFIX, Request, Response, group_of, respond

if TYPE_CHECKING:
    from .._run.registry import Registry

PAUSE = 0.01
"""Seconds between two looks for the first result of a check."""

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]
WSGIApp: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def _our_path(path: str, root: str) -> str | None:
    """Return the path from `/health` on: as it is, or below the app's mount point."""
    for candidate in (path, path.removeprefix(root.rstrip("/")) if root else path):
        if candidate == PREFIX or candidate.startswith(f"{PREFIX}/"):
            return candidate
    return None


class asgi_app:  # noqa: N801 - used as a function; an object, since Starlette treats functions as endpoints
    """The probes as an ASGI application in front of `app`."""

    def __init__(self, health: Registry, app: ASGIApp | None = None) -> None:
        self._health = health
        self._app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer a probe; pass everything else on."""
        health, app = self._health, self._app
        if scope["type"] == "lifespan":
            health.start()
            await (app or _lifespan)(scope, receive, send)
            return
        path = _our_path(scope["path"], scope.get("root_path", ""))
        if app is not None and (path is None or scope["type"] != "http"):
            await app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        health.start()  # a worker that was forked has no threads yet
        if running_loop() is not None and (group := group_of(path or "")) is not None:
            import asyncio

            while health.awaits_first(group):  # noqa: ASYNC110 - threads bring it about
                await asyncio.sleep(PAUSE)
        client = scope.get("client")
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        request = Request(
            scope["method"],
            path or scope["path"],
            scope.get("query_string", b"").decode("latin-1"),
            headers,
            client[0] if client else None,
        )
        await send_response(send, respond(health, request), head=scope["method"] == "HEAD")


async def send_response(send: Send, response: Response, *, head: bool = False) -> None:
    """Send a whole response."""
    headers = [(name.encode(), value.encode("latin-1")) for name, value in response.headers]
    headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else response.body})


async def _lifespan(_scope: object, receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def wsgi_app(health: Registry, app: WSGIApp | None = None) -> WSGIApp:
    """Return the probes as a WSGI application in front of `app`."""

    def probes(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        inner, root = environ.get("PATH_INFO", ""), environ.get("SCRIPT_NAME", "")
        path = _our_path(root + inner, root)
        if path is None and app is not None:
            return app(environ, start_response)
        health.start()  # a worker that was forked has no threads yet
        if (group := group_of(path or "")) is not None:
            while health.awaits_first(group):
                time.sleep(PAUSE)
        method = environ["REQUEST_METHOD"]
        headers = {
            name[5:].replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        response = respond(
            health,
            Request(
                method,
                path or inner,
                environ.get("QUERY_STRING", ""),
                headers,
                environ.get("REMOTE_ADDR"),
            ),
        )
        status = f"{response.status} {HTTPStatus(response.status).phrase}"
        length = ("Content-Length", str(len(response.body)))
        start_response(status, [(n.title(), v) for n, v in response.headers] + [length])
        return [b"" if method == "HEAD" else response.body]

    return probes
