"""Addresses as mail systems take them, by the `email-validator` library and the limits of RFC 5321."""

from __future__ import annotations

from functools import cache
from typing import Any

from .._base.errors import MissingExtra

_LONGEST = 254  # RFC 5321 4.5.3.1.3: a path has at most 256 octets, with its angle brackets


def is_email(value: Any, *, check_deliverability: bool, quoted_local: bool, literal: bool) -> bool:
    library = _library()
    if not isinstance(value, str) or not 2 < len(value) <= _LONGEST:
        return False
    local = value.rpartition("@")[0]
    try:
        if len(local.encode()) > 64 or len(value.encode()) > _LONGEST:
            return False
        library.validate_email(
            value,
            check_deliverability=check_deliverability,
            allow_quoted_local=quoted_local,
            allow_domain_literal=literal,
        )
    except (library.EmailNotValidError, UnicodeError):
        return False
    return True


@cache
def _library() -> Any:
    try:
        import email_validator
    except ImportError:
        raise MissingExtra("is_email", "email-validator", "email") from None
    return email_validator
