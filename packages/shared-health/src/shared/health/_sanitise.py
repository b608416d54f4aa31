"""Make the text of an error fit to be shown: one short line without secrets."""

from __future__ import annotations

import re

LIMIT = 200
"""Characters of an error that are kept."""

_SECRETS = [
    # scheme://user:password@host, and scheme://:password@host
    (re.compile(r"(?<=://)\S*@"), "***@"),
    # password=..., 'api_key': '...', Authorization: Bearer ...
    (
        re.compile(
            r"""(?ix)\b([\w-]*(?:passw(?:or)?d|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|
            credentials?|private[_-]?key)['"]?\s*[=:]\s*)(?:"[^"]*"|'[^']*'|[^\s,;&)}\]]+)"""
        ),
        r"\1***",
    ),
    (re.compile(r"(?i)\b(authorization['\"]?\s*[=:]\s*['\"]?(?:\w+\s+)?)[^\s'\",;]+"), r"\1***"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}"), r"\1 ***"),
    (re.compile(r"\b(sk|pk|ghp|xox[a-z])[-_][\w-]{8,}"), r"\1-***"),
]


def sanitise(text: str) -> str:
    """Return one printable line of at most `LIMIT` characters, secrets replaced.

    Control, escape and text-direction characters go; ``user:password@`` in a URL,
    ``password=...`` and its like become ``***``.

    Example:
        >>> sanitise("cannot reach redis://app:hunter2@cache:6379/0")
        'cannot reach redis://***@cache:6379/0'
    """
    # Bounded before the patterns run: an error may quote a whole response.
    text = text[: 10 * LIMIT]
    text = re.sub(r"\x1b\[[0-9;?]*[ -/]*[@-~]", "", text)
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text if len(text) <= LIMIT else text[: LIMIT - 1] + "…"


def describe(error: BaseException) -> str:
    """Return the error's class and text, fit to be shown.

    Example:
        >>> describe(ConnectionRefusedError(111, "refused"))
        'ConnectionRefusedError: [Errno 111] refused'
    """
    try:
        text = str(error)
    except Exception:  # noqa: BLE001  a broken __str__ must not hide the failure itself
        text = ""
    name = type(error).__name__
    return sanitise(f"{name}: {text}" if text else name)
