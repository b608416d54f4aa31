"""Host names and addresses.

A name is what RFC 1123 allows: letters, digits and hyphens. One with letters beyond ASCII, or with
labels that stand for them (`xn--`), is judged by the `idna` library (RFC 5891 to 5893).
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from functools import cache
from typing import Any

from .._base.errors import MissingExtra

_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.IGNORECASE | re.ASCII)
_ZONE = re.compile(r"[A-Za-z0-9._~-]{1,64}")
_LONGEST_ADDRESS = 45 + 65
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})


def is_hostname(value: Any, *, dotless: bool = True, idn: bool = True) -> bool:
    if not isinstance(value, str) or not 0 < len(value) <= 253:
        return False
    if not value.isascii() or "xn--" in value.lower():
        if not (idn or value.isascii()):
            return False
        ascii_name = _ascii(value)
        if ascii_name is None:
            return False
        value = ascii_name
    if len(value) > 253 or _NAME.fullmatch(value) is None:
        return False
    last = value.rpartition(".")[2]
    return not last.isdigit() and (dotless or last != value)


def _ascii(name: str) -> str | None:
    try:
        # Capitals and wide letters are mapped, as browsers do (UTS 46).
        found = str(_idna().encode(name, uts46=True).decode())
        labels = _idna().decode(found).split(".")
        if _idna().encode(".".join(labels)).decode() != found.lower():
            return None  # another spelling of some name, which older releases of idna let pass
        if any(unicodedata.bidirectional(c) in _RIGHT_TO_LEFT for c in "".join(labels)):
            for label in labels:  # RFC 5893: then the rule holds for every label
                _idna().check_bidi(label, check_ltr=True)
    except UnicodeError:  # idna.IDNAError is one
        return None
    return found


@cache
def _idna() -> Any:
    try:
        import idna
    except ImportError:
        raise MissingExtra("an international host name", "idna", "idn") from None
    return idna


def is_ip(value: Any, *, version: int | None = None, zone: bool = True) -> bool:
    if isinstance(value, str):
        if not 1 < len(value) <= _LONGEST_ADDRESS:
            return False
        address, percent, name = value.partition("%")
        if percent and not (zone and _ZONE.fullmatch(name)):
            return False
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        if percent and found.version == 4:
            return False
    elif isinstance(value, (ipaddress.IPv4Address, ipaddress.IPv6Address)):
        found = value
    else:
        return False
    return version is None or found.version == version
