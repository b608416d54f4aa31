"""Names that are nearly right."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["closest"]

# Other words for the last part of a name.
_WORDS = {
    "PASS": "PASSWORD",
    "PASSWD": "PASSWORD",
    "PWD": "PASSWORD",
    "PW": "PASSWORD",
    "USERNAME": "USER",
    "HOSTNAME": "HOST",
    "DATABASE": "DB",
    "DBNAME": "DB",
    "URI": "URL",
    "DSN": "URL",
    "APIKEY": "API_KEY",
}


def closest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that was probably meant, or None.

    A name is near with one slip (a letter too many, too few, wrong, or two swapped), two slips
    in a long name, or another word for the last part.

    Example:
        >>> closest("POSTGRES_PROT", ["POSTGRES_HOST", "POSTGRES_PORT"])
        'POSTGRES_PORT'
        >>> closest("POSTGRES_PASS", ["POSTGRES_PASSWORD"])
        'POSTGRES_PASSWORD'
        >>> closest("LOGNAME", ["LOG_LEVEL"])
    """
    known = list(known)
    if name in known:
        return None
    head, _, tail = name.rpartition("_")
    other = _WORDS.get(tail.upper())
    if other and f"{head}_{other}" in known:
        return f"{head}_{other}"
    near = sorted((slips(name, k), k) for k in known if abs(len(name) - len(k)) <= 2)
    if not near:
        return None
    count, best = near[0]
    if len(name) < 4 or count > (2 if len(name) > 10 else 1):
        return None
    return best if count == 1 or _alike(name, best) else None


def _alike(a: str, b: str) -> bool:
    """Whether two slips are slips, not another word (`REDIS_SSL` is not `REDIS_URL`)."""
    while a and b and a[0] == b[0]:
        a, b = a[1:], b[1:]
    while a and b and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    return not a or not b or bool(set(a) & set(b))


def slips(a: str, b: str) -> int:
    """Count insertions, deletions, replacements and swaps of neighbours between two words.

    The optimal string alignment distance (Damerau 1964, restricted form).

    Example:
        >>> slips("PROT", "PORT"), slips("HOST", "HOSTS"), slips("URL", "PORT")
        (1, 1, 3)
    """
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            cost = min(last[j] + 1, row[-1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]
