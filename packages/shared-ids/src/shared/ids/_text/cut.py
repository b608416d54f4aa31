"""Text that is cut where a reader would cut it."""

from __future__ import annotations

from typing import Any

from shared.core.checks import refuse, whole
from shared.core.checks import text as text_of


def truncate_string(text: str, length: int, suffix: str = "...", *, words: bool = False) -> str:
    r"""Return a text of at most `length` characters, the suffix counted in.

    A character is what a reader takes for one: an emoji with its modifiers, a flag, a letter with
    its accents are never split (Unicode's extended grapheme clusters, UAX #29; extra `[text]`).

    Args:
        text: Any text.
        length: The most characters; at least those of the suffix.
        suffix: Stands where something was cut off.
        words: Cut between words, if there is one that fits.

    Raises:
        ImportError: The extra is not installed.
        ValueError: The length is negative, or less than the suffix needs.

    Example:
        >>> truncate_string("The quick brown fox", 12)
        'The quick...'
        >>> truncate_string("👩‍👩‍👧🇫🇷é!", 3, "…")
        '👩‍👩‍👧🇫🇷…'
    """
    regex = _regex()
    text_of("text", text)
    text_of("suffix", suffix)
    whole("length", length, least=0)
    if len(text) <= length:
        return text
    # No more than needed is read: the text may be long.
    clusters = _first(regex, text, length + 1)
    if len(clusters) <= length:
        return text
    room = length - len(_first(regex, suffix, length + 1))
    if room < 0:
        raise refuse("length", f"at least that of the suffix {suffix!r}", length)
    kept = clusters[:room]
    if words and not clusters[room].isspace():
        spaces = [place for place, cluster in enumerate(kept) if cluster.isspace()]
        if spaces and spaces[-1] > 0:
            kept = kept[: spaces[-1]]
    return "".join(kept).rstrip() + suffix


def normalize_whitespace(text: str) -> str:
    r"""Return a text with every run of white space, of any kind, as one blank; none at the ends.

    Example:
        >>> normalize_whitespace("  a\t\u00a0b\n")
        'a b'
    """
    return " ".join(text_of("text", text).split())


def _first(regex: Any, text: str, count: int) -> list[str]:
    clusters = []
    for match in regex.finditer(r"\X", text):
        clusters.append(match[0])
        if len(clusters) == count:
            break
    return clusters


def _regex() -> Any:
    try:
        import regex
    except ImportError:
        raise ImportError("truncate_string needs regex: pip install 'shared-ids[text]'") from None
    return regex
