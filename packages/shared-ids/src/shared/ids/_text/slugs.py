"""Text for URLs and file names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from shared.core.checks import refuse, whole
from shared.core.checks import text as text_of

if TYPE_CHECKING:
    from collections.abc import Iterable


def slugify(
    text: str,
    *,
    max_length: int | None = None,
    separator: str = "-",
    keep: Iterable[str] = (),
    default: str | None = None,
) -> str:
    """Return a text in lower-case ASCII letters and digits, words joined by a separator.

    Other alphabets are transliterated by python-slugify (extra `[slug]`).

    Args:
        text: Any text.
        max_length: The most characters; whole words are kept where one fits.
        separator: Between words: `-`, `_`, `.`, or empty.
        keep: Characters that stay as they are, such as `.` in file names.
        default: Returned if nothing of the text is left.

    Raises:
        ImportError: The extra is not installed.
        ValueError: Nothing of the text is left, and there is no default.

    Example:
        >>> slugify("Straße 東京 — A/B")
        'strasse-dong-jing-a-b'
        >>> slugify("🎉", default="untitled")
        'untitled'
    """
    try:
        from slugify import slugify as transliterate
    except ImportError:
        raise ImportError("slugify needs python-slugify: pip install 'shared-ids[slug]'") from None
    text_of("text", text)
    if separator not in {"-", "_", ".", ""}:
        raise refuse("separator", "one of '-', '_', '.', ''", separator)
    most = 0 if max_length is None else whole("max_length", max_length)
    kept = "".join(re.escape(character) for character in keep)
    slug = transliterate(
        text.replace("ß", "ss").replace("ẞ", "SS"),
        separator=separator,
        max_length=most,
        word_boundary=bool(most),
        regex_pattern=rf"[^-a-z0-9{kept}]+" if kept else None,
    )
    if most and len(slug) > most:
        slug = slug[:most]
    if slug:
        return str(slug)
    if default is None:
        raise refuse("text", "a text of which something is left in a slug", text)
    return default
