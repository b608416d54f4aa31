"""Serve a simple index: ours from the folder, every other name sent on to the public index.

A client that knows this index only can not meet a namesake of ours on the public one: `shared`
and all of `shared-...` are answered here, or not at all.
"""

from __future__ import annotations

import re
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from releases import Refused

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"


def serve(folder: Path, address: str, public: str) -> None:
    """Serve until Ctrl-C."""
    host, _, port = address.rpartition(":")
    if not port.isdecimal():
        raise Refused(f"--serve is {address!r}; it must be PORT or HOST:PORT.")
    handler = partial(Handler, directory=str(folder), public=public)
    try:
        server = ThreadingHTTPServer((host or "127.0.0.1", int(port)), handler)
    except (OSError, OverflowError) as error:
        raise Refused(f"cannot serve on {address}: {error}") from error
    with server:
        print(f"index: pip install --index-url {url(server)} shared-config", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("index: served.")


def url(server: ThreadingHTTPServer) -> str:
    """Return where the index is to be found."""
    host, port = server.server_address[:2]
    return f"http://{host!s}:{port}/simple/"


class Handler(SimpleHTTPRequestHandler):
    """Files as they are; index pages in the format that the client prefers."""

    def __init__(self, *arguments: Any, directory: str, public: str) -> None:
        self.public = public.rstrip("/")
        super().__init__(*arguments, directory=directory)

    def send_head(self) -> Any:
        """Answer GET and HEAD."""
        path = unquote(urlsplit(self.path).path)
        page = re.fullmatch(r"/simple/(?:([^/]+)/?)?", path)
        if not page:
            return super().send_head()
        name = re.sub(r"[-_.]+", "-", page[1] or "").lower()
        folder = Path(self.directory) / "simple" / name
        canonical = f"/simple/{name}/" if name else "/simple/"
        if not re.fullmatch(r"[a-z0-9-]*", name):
            self.send_error(HTTPStatus.NOT_FOUND)
        elif not (folder / "index.json").is_file():
            if name == "shared" or name.startswith("shared-"):
                self.send_error(HTTPStatus.NOT_FOUND, f"There is no {name} here.")
            else:
                self.redirect(f"{self.public}/{name}/")
        elif path != canonical:
            self.redirect(canonical)
        else:
            return self.send_page(folder)
        return None

    def redirect(self, place: str) -> None:
        """Send the client elsewhere."""
        self.send_response(HTTPStatus.FOUND)
        self.send_header("Location", place)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def send_page(self, folder: Path) -> IO[bytes]:
        """Send JSON to a client that asks for it, HTML to browsers."""
        accepted = self.headers.get("Accept", "")
        kind = JSON if JSON in accepted else HTML if HTML in accepted else "text/html"
        page = (folder / ("index.json" if kind == JSON else "index.html")).open("rb")
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Vary", "Accept")
        self.send_header("Content-Length", str(page.seek(0, 2)))
        self.end_headers()
        page.seek(0)
        return page
