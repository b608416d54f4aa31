"""ClickHouse's HTTP interface over chdb. Runs in its own child process.

It keeps the promises of the interface: authentication, databases, sessions, settings, query
parameters, inserts in every input format as one block, streamed results, exception codes.
"""

from __future__ import annotations

import base64
import hmac
import itertools
import json
import re
import sys
import threading
import uuid
from email.parser import BytesParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import chdb

from .http import Handler, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

# What the transport itself consumes, and what an embedded engine does not know.
_TRANSPORT = frozenset({
    "add_http_cors_header", "buffer_size", "client_protocol_version", "compress", "database",
    "decompress", "default_format", "enable_http_compression", "http_headers_progress_interval_ms",
    "password", "query", "query_id", "quota_key", "role", "send_progress_in_http_headers",
    "session_check", "session_id", "session_timeout", "user", "wait_end_of_query",
})  # fmt: skip
# Blocks of these formats can follow one another; others have a head or a foot.
_STREAMED = {"Native", "TabSeparated", "TSV", "CSV", "RowBinary", "JSONEachRow"}
_FORMAT = re.compile(rb"\bFORMAT\s+(\w+)\s*;?\s*(?:SETTINGS\b[^;]*)?;?\s*$", re.IGNORECASE)
_INSERT = re.compile(
    rb"\s*(INSERT\s+INTO\s.*?)\s+FORMAT\s+(\w+)\b[ \t]*;?[ \t]*\r?\n?", re.IGNORECASE | re.DOTALL
)
_QUOTED = re.compile(rb"`[^`]*`|\"[^\"]*\"|'[^']*'|\([^()]*\)")
_NOT_DATA = re.compile(rb"\b(VALUES|SELECT|WITH|WATCH|INFILE)\b", re.IGNORECASE)
_CODE = re.compile(r"Code: (\d+)")
_STATUS = {60: 404, 81: 404, 62: 400, 47: 400, 516: 401, 192: 401, 373: 500}
_HEAD = 1 << 20


class Failure(Exception):  # noqa: N818 - an answer of the server
    """A ClickHouse error: its code is in its text."""


class Engine:
    """The one engine of this process, and its sessions."""

    def __init__(self, path: str, password: str) -> None:
        self.path = path
        self.password = password
        self.base = chdb.connect(path)
        self.zone = self.base.query("SELECT timezone()", "TabSeparated").bytes().decode().strip()
        self.version = self.base.query("SELECT version()", "TabSeparated").bytes().decode().strip()
        self.sessions: dict[str, tuple[threading.Lock, Any]] = {}
        self.lock = threading.Lock()

    def session(self, name: str) -> tuple[threading.Lock, Any]:
        with self.lock:
            if name not in self.sessions:
                self.sessions[name] = (threading.Lock(), chdb.connect(self.path))
            return self.sessions[name]


class ClickHouse(Handler):
    """One request: its parameters, a handle on the engine, an answer."""

    engine: Engine

    def answer(self) -> None:
        """Answer one request."""
        parts = urlsplit(self.path)
        if parts.path in {"/ping", "/replicas_status"}:
            self.body()
            self.reply(200, {"Content-Type": "text/plain"}, b"Ok.\n")
            return
        self.sent = False
        try:
            self._answer(dict(parse_qsl(parts.query, keep_blank_values=True)))
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        except Exception as error:  # noqa: BLE001 - every engine error is an answer
            self._fail(str(error))

    def _answer(self, params: dict[str, str]) -> None:
        body = self.chunks()
        if self.headers.get("Content-Type", "").startswith("multipart/form-data"):
            params |= self._form(b"".join(body))
            body = iter(())
        self._authenticate(params)
        params.setdefault("database", self.headers.get("X-ClickHouse-Database", "default"))
        self.query_id = params.get("query_id") or str(uuid.uuid4())
        name = params.get("session_id")
        if name is None:
            handle = chdb.connect(self.engine.path)
            try:
                self._run(handle, params, body)
            finally:
                handle.close()
            return
        lock, handle = self.engine.session(name)
        if not lock.acquire(blocking=False):
            raise Failure(
                f"Code: 373. DB::Exception: Session {name} is locked by a concurrent client. (SESSION_IS_LOCKED)"
            )
        try:
            self._run(handle, params, body)
        finally:
            lock.release()

    def _form(self, body: bytes) -> dict[str, str]:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        fields = {}
        for part in BytesParser().parsebytes(head + body).walk():
            name = part.get_param("name", header="content-disposition")
            if part.get_filename():
                raise Failure(
                    "Code: 48. DB::Exception: External data is not supported here. (NOT_IMPLEMENTED)"
                )
            if isinstance(name, str):
                payload = part.get_payload(decode=True)
                assert isinstance(payload, bytes)
                fields[name] = payload.decode()
        return fields

    def _authenticate(self, params: dict[str, str]) -> None:
        user = self.headers.get("X-ClickHouse-User", params.get("user", "default"))
        password = self.headers.get("X-ClickHouse-Key", params.get("password", ""))
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic":
            user, _, password = base64.b64decode(token).decode().partition(":")
        right = hmac.compare_digest(password.encode(), self.engine.password.encode())
        if user != "default" or not right:
            raise Failure(
                f"Code: 516. DB::Exception: {user}: Authentication failed: password is incorrect, "
                "or there is no user with such name. (AUTHENTICATION_FAILED)"
            )

    def _run(self, handle: Any, params: dict[str, str], body: Iterator[bytes]) -> None:
        database = params.get("database") or "default"
        handle.query(f"USE `{database.replace('`', '``')}`")
        for name, value in params.items():
            if name not in _TRANSPORT and not name.startswith("param_"):
                quoted = value.replace("\\", "\\\\").replace("'", "\\'")
                handle.query(f"SET {name} = '{quoted}'")
        if self.command in {"GET", "HEAD"}:
            handle.query("SET readonly = 2")
        head = params.get("query", "").encode()
        head += b"\n" if head else b""
        for chunk in body:
            head += chunk
            if len(head) >= _HEAD:
                break
        match = _INSERT.match(head)
        if match and not _NOT_DATA.search(_QUOTED.sub(b"", match[1])):
            self._insert(handle, match, itertools.chain((head[match.end() :],), body))
        else:
            self._query(handle, head + b"".join(body), params)

    def _insert(self, handle: Any, match: re.Match[bytes], data: Iterator[bytes]) -> None:
        with handle.send_insert(match[1].decode(), match[2].decode()) as stream:
            for chunk in data:
                if chunk:
                    stream.append(chunk)
            result = stream.finish()
        written = {
            "written_rows": str(result.rows_written),
            "written_bytes": str(result.bytes_written),
        }
        self.reply(200, self._headers(written), b"")

    def _query(self, handle: Any, query: bytes, params: dict[str, str]) -> None:
        text = query.decode()
        values = {name[6:]: value for name, value in params.items() if name.startswith("param_")}
        default = self.headers.get(
            "X-ClickHouse-Format", params.get("default_format", "TabSeparated")
        )
        explicit = _FORMAT.search(query[-4096:])
        name = explicit[1].decode() if explicit else default
        if name in _STREAMED and re.match(r"\s*(SELECT|WITH)\b", text, re.IGNORECASE):
            parts = (chunk.bytes() for chunk in handle.send_query(text, default, params=values))
            first = next(parts, b"")
            headers = self._headers({}) | {"X-ClickHouse-Format": name}
            self.sent = True
            self.reply(200, headers, itertools.chain((first,), parts))
            return
        result = handle.query(text, default, params=values)
        data = bytes(result.bytes())
        summary = {"read_rows": str(result.rows_read()), "read_bytes": str(result.bytes_read())}
        headers = self._headers(summary)
        if data:
            headers["X-ClickHouse-Format"] = name
        self.reply(200, headers, data)

    def _headers(self, summary: dict[str, str]) -> dict[str, str]:
        return {
            "Content-Type": "application/octet-stream",
            "X-ClickHouse-Server-Display-Name": "embedded",
            "X-ClickHouse-Query-Id": self.query_id,
            "X-ClickHouse-Timezone": self.engine.zone,
            "X-ClickHouse-Summary": json.dumps(summary),
        }

    def _fail(self, text: str) -> None:
        start = text.find("Code: ")
        text = text[max(start, 0) :]
        if "(version" not in text:
            text = f"{text.rstrip()} (version {self.engine.version})\n"
        if self.sent:
            # The answer has started: only a broken connection can report it.
            self.close_connection = True
            self.connection.close()
            return
        found = _CODE.search(text)
        code = int(found[1]) if found else 1002
        # The rest of the request would be taken for the next one.
        self.close_connection = True
        headers = {
            "X-ClickHouse-Exception-Code": str(code),
            "Content-Type": "text/plain",
            "Connection": "close",
        }
        self.reply(_STATUS.get(code, 500), headers, text.encode())


def main() -> None:
    """Serve until the process is ended."""
    config = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    server = Server((config["host"], config["port"]), ClickHouse)
    ClickHouse.engine = Engine(config["path"], config["password"])
    server.serve_forever()


if __name__ == "__main__":
    main()
