"""Probes from the command line, for `exec` probes: of a URL, or of a heartbeat's file.

Ages in a file are those of the system's monotonic clock, which all processes since one boot
share: a jump of the wall clock changes nothing.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path


def write_beat(path: str, max_age: float) -> None:
    """Write this moment to the file, in one step: a reader never sees half of it."""
    beat = {"monotonic": time.monotonic(), "boot": _boot(), "max_age": max_age}
    target = Path(path)
    descriptor, draft = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump(beat, file)
        Path(draft).replace(target)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def probe_file(path: str, max_age: float | None = None) -> tuple[bool, str]:
    """Return whether the last beat is recent enough, and the message about it."""
    try:
        beat = json.loads(Path(path).read_text(encoding="ascii"))
        then, boot, allowed = float(beat["monotonic"]), beat["boot"], float(beat["max_age"])
    except FileNotFoundError:
        return False, f"{path}: no such file: no heartbeat yet"
    except OSError as error:
        return False, f"{path}: {error.strerror}"
    except (ValueError, KeyError, TypeError):
        return False, f"{path}: not the file of a Heartbeat"
    if boot != _boot():
        return False, f"{path}: the heartbeat is from an earlier boot"
    allowed = allowed if max_age is None else max_age
    age = time.monotonic() - then
    word = "fine" if age <= allowed else "too old"
    return age <= allowed, f"{path}: last heartbeat {age:.1f} s ago ({allowed:g} s allowed): {word}"


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def probe_url(url: str, timeout: float = 1.0) -> tuple[bool, str]:
    """Return whether the URL answers as Kubernetes expects (200 to 399), and a message."""
    import http.client
    from urllib.parse import urlsplit

    parts = urlsplit(url if "//" in url else f"http://{url}")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return False, f"{url}: not an http or https address"
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    try:
        connection = kind(parts.hostname, parts.port, timeout=timeout)
        try:
            target = f"{parts.path or '/health'}{'?' + parts.query if parts.query else ''}"
            connection.request("GET", target, headers={"connection": "close"})
            answer = connection.getresponse()
            body = answer.read(65536).decode("utf-8", "replace").strip()
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        return False, f"{url}: {str(error) or type(error).__name__}"
    return 200 <= answer.status < 400, f"{url}: {answer.status} {body}"
