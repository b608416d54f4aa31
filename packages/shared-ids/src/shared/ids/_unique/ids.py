"""Ids with a prefix: `user_01jdy3k8c2f6m9xq7w5t4v0z8r`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from shared.core.checks import refuse, shown
from shared.core.checks import text as text_of

from .._base.crockford import decode, encode, pairs
from .._base.errors import InvalidId
from .uuid7 import TICKS, VERSION, VERSION_BITS, number_of

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from .ticks import Block

LONGEST = 63
_PREFIX = r"[A-Za-z0-9](?:[A-Za-z0-9_]*[A-Za-z0-9])?"
_prefixes: dict[str, str] = {"": ""}
_kept: tuple[Block, str] = ((0, 0), "")
_PAIRS = pairs()


class ParsedId(NamedTuple):
    """What an id says."""

    prefix: str
    uuid: UUID
    time: datetime
    """When it was made: an aware time in UTC, to the millisecond."""


def generate_id(prefix: str = "") -> str:
    """Return a new id: the prefix, an underscore, and a UUIDv7 in 26 characters.

    Sorting ids of one prefix as text sorts them by the time of their making. They are not secrets:
    for a session use `generate_session_id`.

    Args:
        prefix: Letters, digits and underscores within, at most 63; one underscore at its end is the
            separator. Empty: no prefix.

    Raises:
        TypeError: The prefix is not a string.
        ValueError: The prefix has other characters, or is too long.

    Example:
        >>> user = generate_id("user")
        >>> user[:5], len(user), user < generate_id("user")
        ('user_', 31, True)
    """
    head = _prefixes.get(prefix)
    if head is None:
        head = _checked(prefix)
    block, low = TICKS.next()
    # 24 of the 26 characters are those of the block, and are kept: an id takes a third of the time.
    global _kept  # noqa: PLW0603 - one value, replaced whole
    same, text = _kept
    if same is not block:
        text = encode(number_of(block) >> 10, 24)
        _kept = block, text
    return head + text + _PAIRS[low]


def parse_id(id: str, prefix: str | None = None) -> ParsedId:  # noqa: A002 - what it is
    """Return what an id says.

    Args:
        id: What `generate_id` returned.
        prefix: The prefix it must have, if given.

    Raises:
        TypeError: It is not a string.
        InvalidId: It is not such an id, or has another prefix.

    Example:
        >>> parsed = parse_id("user_01m8hs57n7evmv00wwp1asr6rd")
        >>> parsed.prefix, f"{parsed.time:%Y-%m-%d %H:%M}", parsed.uuid.version
        ('user', '2026-11-28 19:12', 7)
    """
    text_of("id", id)
    found, _, digits = id.rpartition("_")
    if len(id) > LONGEST + 27 or not _match(found, digits):
        allowed = "PREFIX_ and 26 characters of Crockford's base 32"
        raise InvalidId(f"id must be {allowed}, not {shown(id)}")
    number = decode(digits)
    if number & VERSION_BITS != VERSION:
        raise InvalidId(f"id must be of UUID version 7, not {shown(id)}")
    if prefix is not None and found != _checked(prefix)[:-1]:
        raise InvalidId(f"id must have the prefix {prefix!r}, not {shown(id)}")
    from datetime import UTC, datetime, timedelta
    from uuid import UUID

    try:
        time = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=number >> 80)
    except OverflowError:
        raise InvalidId(f"id must be of a time before the year 10000, not {shown(id)}") from None
    return ParsedId(found, UUID(int=number), time)


def _match(prefix: str, digits: str) -> bool:
    return (
        re.fullmatch(r"[0-7][0-9a-hjkmnp-tv-z]{25}", digits) is not None
        and (not prefix or re.fullmatch(_PREFIX, prefix) is not None)
    )  # fmt: skip


def _checked(prefix: str) -> str:
    """Return the prefix with its separator; the first thousand are remembered."""
    bare = text_of("prefix", prefix).removesuffix("_")
    if prefix and (len(bare) > LONGEST or re.fullmatch(_PREFIX, bare) is None):
        raise refuse("prefix", f"at most {LONGEST} letters, digits and inner underscores", prefix)
    head = f"{bare}_" if bare else ""
    if len(_prefixes) < 1000:
        _prefixes[prefix] = head
    return head
