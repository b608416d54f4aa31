"""URLs by the WHATWG standard (url.spec.whatwg.org), stricter where it forgives.

The standard's parser repairs what it reads: it drops tabs and newlines, turns backslashes round and
adds missing slashes. What a repair would change is refused here, since the next reader of the text
may repair it in another way. The rest follows the standard's host parser; hosts with letters beyond
ASCII are judged by `ada-url`, which is a whole implementation of it.
"""

from __future__ import annotations

import ipaddress
import re
from functools import cache
from typing import Any
from urllib.parse import unquote_to_bytes

from .._base.errors import MissingExtra

# Scheme, user info, host, port and the rest; every part ends where the next may begin.
_URL = re.compile(
    r"([A-Za-z][A-Za-z0-9+.-]*)://(?:([^/?#@\[\]]*)@)?(\[[^\]/?#@]*\]|[^/?#:@\[\]]*)(?::([0-9]*))?([/?#].*)?",
    re.DOTALL,
)
# Spaces and controls, also the invisible ones, and what every reader must write as %XX.
_FORBIDDEN = re.compile(
    '[\x00-\x20\x7f-\x9f"<>\\\\`\ud800-\udfff\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufdd0-\ufdef]'
)
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_BAD_HOST = re.compile(r"[\x00-\x20\x7f#/:<>?@\[\\\]^|%]")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)
_SPECIAL = frozenset({"http", "https", "ws", "wss", "ftp"})


def is_url(
    value: Any,
    *,
    schemes: frozenset[str] | None,
    dotless: bool,
    credentials: bool,
    max_length: int,
) -> bool:
    if not isinstance(value, str) or not 0 < len(value) <= max_length:
        return False
    if _FORBIDDEN.search(value) or _BAD_PERCENT.search(value):
        return False
    match = _URL.fullmatch(value)
    if match is None:
        return False
    scheme, user, host, port, rest = match.groups()
    scheme = scheme.lower()
    if schemes is not None and scheme not in schemes:
        return False
    if user is not None and not (credentials and host):
        return False
    if port and (len(port.lstrip("0")) > 5 or int(port) > 65535):
        return False
    if rest is not None and "#" in rest.partition("#")[2]:
        return False
    if scheme == "file":
        return user is None and port is None and (host == "" or _is_host(host, dotless=True))
    if scheme not in _SPECIAL:
        return _is_opaque(host)
    return _is_host(host, dotless=dotless)


def _is_host(host: str, *, dotless: bool) -> bool:
    """Judge a host of a special scheme, by the standard's host parser."""
    if host.startswith("["):
        return _is_ipv6(host)
    if "%" in host:
        try:
            host = unquote_to_bytes(host).decode()
        except UnicodeDecodeError:
            return False
    if not host.isascii():
        ascii_host = _to_ascii(host)
        if not ascii_host:
            return False
        host = ascii_host
    if not host or len(host) > 255 or _BAD_HOST.search(host):
        return False
    labels = host.removesuffix(".").split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _is_ipv4(labels)
    # The standard allows empty and endless labels; no resolver does.
    if not all(0 < len(label) <= 63 for label in labels):
        return False
    return dotless or len(labels) > 1


def _is_ipv6(host: str) -> bool:
    try:
        return "%" not in host and bool(ipaddress.IPv6Address(host[1:-1]))
    except ValueError:
        return False


def _is_ipv4(labels: list[str]) -> bool:
    """Accept dotted decimals alone: 0x7f.1 and 010 are read differently by different readers."""
    try:
        return bool(ipaddress.IPv4Address(".".join(labels)))
    except ValueError:
        return False


def _is_opaque(host: str) -> bool:
    if host.startswith("["):
        return _is_ipv6(host)
    return bool(host) and not _BAD_HOST.search(host.replace("%", ""))


def _to_ascii(host: str) -> str:
    to_ascii = _ada()
    try:
        return bytes(to_ascii(host)).decode("ascii")
    except (ValueError, UnicodeError):
        return ""


@cache
def _ada() -> Any:
    try:
        from ada_url import idna_to_ascii
    except ImportError:
        raise MissingExtra("an international URL", "ada-url", "idn") from None
    return idna_to_ascii
