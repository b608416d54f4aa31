"""What a secret looks like, by the name of its key and by its text; one vocabulary, one marker.

A key is judged by its words. A text is searched by patterns only if a cheap test of substrings
fires, since this stands on the path of every log line.
"""

from __future__ import annotations

import base64
import binascii
import functools
import itertools
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MARKER: Final = "[REDACTED]"

PLAIN, SECRET = 0, 1
SECRET_UNLESS_NUMBER = 2  # "tokens": a list of them is secret, a count is not

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SECRET_WORDS = _set(
    "password passwd pwd passphrase passcode secret token authorization credential cookie apikey jwt"
    " bearer otp cvv cvc ssn privatekey secretkey accesskey sessionid connectionstring"
)
_PLURALS = _set("passwords secrets tokens credentials cookies apikeys creds auth pass")
_PAIRS = _set(
    "api+key access+key private+key secret+key signing+key encryption+key session+id session+key"
    " card+number credit+card account+key shared+key master+key client+key connection+string"
)
_COMPOUND = re.compile(
    r"(?:password|passwd|passphrase|secret|token|apikey|secretkey|accesskey|privatekey"
    r"|credentials?)$|^(?:password|passwd)"
)
# The last word says that the value is about the secret, not the secret itself.
_ABOUT = _set(
    "count counts limit length len size type kind name policy expiry expires expiration at ttl age"
    " usage used budget total max min valid enabled required rotated rate ratio seconds ms bytes"
    " version status attempts strength field fields per url uri endpoint"
)


def key_verdict(key: str) -> int:
    """Judge a key by its words: `PLAIN`, `SECRET` or `SECRET_UNLESS_NUMBER`.

    Example:
        >>> [key_verdict(k) for k in ("db_password", "apiKey", "author", "token_count", "tokens")]
        [1, 1, 0, 0, 2]
    """
    words = [w for w in map(str.lower, _WORDS.findall(key)) if not w.isdigit()]
    if not words or words[-1] in _ABOUT:
        return PLAIN
    if not _SECRET_WORDS.isdisjoint(words):
        return SECRET
    pairs = {f"{a}+{b}" for a, b in itertools.pairwise(words)}
    if not _PAIRS.isdisjoint(pairs) or any(_COMPOUND.search(w) for w in words):
        return SECRET
    if words[-1] in _PLURALS:
        return SECRET_UNLESS_NUMBER
    return PLAIN


def harmless(text: str) -> bool:
    """Whether no built-in pattern can find anything: the gate, by substrings alone."""
    return not (
        "=" in text
        or ":" in text
        or "earer" in text
        or "EARER" in text
        or "asic" in text
        or "ASIC" in text
        or "--" in text
        or "sk-" in text
        or "pk-" in text
        or "eyJ" in text
        or "AKIA" in text
        or "ASIA" in text
        or "AIza" in text
        or "xox" in text
        or "SG." in text
        or "glpat-" in text
        or (
            "_" in text
            and ("gh" in text or "_pat_" in text or "k_" in text or "npm_" in text or "hf_" in text)
        )
    )


_KEY_NEEDLES = _set(
    "pass pwd secret token key auth cookie cred jwt otp cvv cvc ssn session card connection bearer"
)
_PEM = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----.*?(?:-----END[A-Z0-9 ]*-----|\Z)", re.DOTALL
)
# user:password@ after the scheme, to the last @: a password may contain / and @ itself. A port
# followed by a path is not a password.
_URL = re.compile(
    r"([A-Za-z][A-Za-z0-9+.-]{0,40}://[^\s/?#:@\"'<>]*):(?!\d{1,5}(?:[/?#\s\"',]|$))[^\s\"'<>]*@"
)
_URL_TOKEN = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,40}://)[^\s/?#:@\"'<>]{20,}@")
# Names that are secret in the query of a URL, and plain words elsewhere.
_QUERY = re.compile(
    r"([?&;](?:key|sig|signature|[\w.-]*-signature|code|sid)=)[^\s&;#\"'<>]+", re.IGNORECASE
)
_SCHEME = re.compile(r"\b(bearer|basic)(\s+|%20|\+)([^\s\"',;<>]+)", re.IGNORECASE)
_SCHEME_PROSE = _set(
    "token tokens auth authentication authorization scheme of is was and or for in to with header"
    " headers credentials format realm the a an not"
)
_KNOWN = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)*|\b(?:AKIA|ASIA)[0-9A-Z]{16}|\bgh[pousr]_\w{8,}"
    r"|\bgithub_pat_\w{16,}|\bxox[a-z][-_][\w-]{8,}|\b[sp]k-[\w-]{8,}"
    r"|\b[rsp]k_(?:(?:live|test)_\w{8,}|(?=\w*\d)[A-Za-z0-9]{12,})"
    r"|\bAIza[\w-]{30,}|\bglpat-[\w-]{15,}|\bnpm_\w{30,}|\bhf_\w{30,}|\bSG\.[\w-]{16,}\.[\w-]{16,}"
)
_QUOTED = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
_WHOLE_LINE = re.compile(
    rf"\b((?:proxy-)?authorization|(?:set-)?cookie)(\\?[\"']?\s*[=:]\s*)(?:b?(?:{_QUOTED})|[^\r\n\"']+)",
    re.IGNORECASE,
)
# The value is a look-ahead: what follows a harmless key may itself be `key=value`.
_PAIR = re.compile(
    rf"([A-Za-z_][\w.\-\[\]]{{0,80}})(\\{{0,4}}[\"']?\s{{0,4}}(?:=>|:=|==?|:)\s{{0,4}})"
    rf"(?=(b?(?:{_QUOTED})|\\{{0,4}}[\"']?[^\s&\"'<>\\]+))"
)
_FLAG = re.compile(rf"(?<![\w-])(--?[A-Za-z][\w-]{{2,60}})(\s+)({_QUOTED}|[^\s-]\S*)")
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


def make_scrub(
    verdict: Callable[[str], int] = key_verdict,
    keys: Iterable[str] = (),
    patterns: Iterable[re.Pattern[str]] = (),
) -> Callable[[str], str]:
    """Return a function like `scrub` that knows more; it returns the same object if it finds nothing.

    Args:
        verdict: Judges the key of `key=value` inside the text.
        keys: The keys that the verdict knows besides the built-in ones.
        patterns: More patterns; group 1, if there is one, is the secret part.
    """
    own = tuple(patterns)
    needles = [*_KEY_NEEDLES, *(re.escape(key).replace("_", "[-_]") for key in keys)]
    key_needle = re.compile("|".join(needles)).search

    def replacement(key: str, value: str) -> str | None:
        if value.startswith(MARKER) or not (judged := verdict(key)):
            return None
        if judged == SECRET_UNLESS_NUMBER and value.strip("\"'.,;)]}").isdigit():
            return None
        if value.lower() in {"bearer", "basic"}:  # the scheme's own pattern takes what follows
            return None
        quote = value[-1] if value[-1] in "\"'" and len(value) > 1 else ""
        tail = "" if quote else value[len(value.rstrip(",;)]}")) :]
        return f"{quote}{MARKER}{quote}{tail}"

    def pairs(text: str) -> str:
        parts = []
        done = position = 0
        while (match := _PAIR.search(text, position)) is not None:
            position = match.end()
            new = replacement(match[1], match[3])
            if new is not None:
                parts += [text[done:position], new]
                done = position = match.end(3)
        return "".join([*parts, text[done:]]) if parts else text

    def flag(match: re.Match[str]) -> str:
        new = replacement(match[1], match[3])
        return match[0] if new is None else f"{match[1]}{match[2]}{new}"

    def scrub(given: str) -> str:
        text = given
        if not harmless(text):
            low = text.lower()
            if "-----begin" in low:
                text = _PEM.sub(MARKER, text)
            if "://" in low and (end := text.rfind("@") + 1):
                # Nothing after the last @ can match: not searching there keeps this linear.
                urls = _URL.sub(rf"\1:{MARKER}@", text[:end])
                text = _URL_TOKEN.sub(rf"\1{MARKER}@", urls) + text[end:]
            text = _KNOWN.sub(MARKER, text)
            if "--" in low:
                text = _FLAG.sub(flag, text)
            if "bearer" in low or "basic" in low:
                text = _SCHEME.sub(_scheme, text)
            if "://" in low and "=" in text:
                text = _QUERY.sub(rf"\1{MARKER}", text)
            if ("=" in text or ":" in text) and key_needle(low) is not None:
                if "authorization" in low or "cookie" in low:
                    text = _WHOLE_LINE.sub(rf"\1\2{MARKER}", text)
                text = pairs(text)
        for pattern in own:
            text = pattern.sub(_own, text)
        return given if text == given else text

    return scrub


def scrub(text: str) -> str:
    """Return a text with every secret in it replaced by `MARKER`.

    Example:
        >>> scrub("cannot reach redis://app:hunter2@cache:6379/0 with api_key=abc")
        'cannot reach redis://app:[REDACTED]@cache:6379/0 with api_key=[REDACTED]'
    """
    return _default()(text)


def one_line(text: str, limit: int = 200, secrets: Iterable[str] = ()) -> str:
    r"""Return a text fit to be shown: one printable line, scrubbed, of at most `limit` characters.

    Known `secrets` are hidden whatever they look like. Only 10 * `limit` characters are read.

    Example:
        >>> one_line("no\n\x1b[31mpassword=abc", secrets=["abc"])
        'no password=[REDACTED]'
    """
    line = text[: 10 * limit]
    if not line.isprintable():
        line = "".join(c if c.isprintable() else " " for c in _ESCAPES.sub("", line))
    line = scrub(hide(" ".join(line.split()), secrets))
    if len(text) > 10 * limit:  # a secret may have been cut in two at the end
        line = f"{line[:-limit]}…"
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def hide(text: str, secrets: Iterable[str]) -> str:
    """Replace known secrets in a text by `MARKER`, the longest first."""
    for secret in sorted({secret for secret in secrets if secret}, key=len, reverse=True):
        text = text.replace(secret, MARKER)
    return text


_default = functools.cache(make_scrub)


def _scheme(match: re.Match[str]) -> str:
    name, gap, value = match.groups()
    if value.strip(".:!?)").lower() in _SCHEME_PROSE:
        return match[0]
    if name.lower() == "basic":
        try:
            if b":" not in base64.b64decode(value + "=" * (-len(value) % 4), validate=True):
                return match[0]
        except (binascii.Error, ValueError):
            return match[0]
    return f"{name}{gap}{MARKER}"


def _own(match: re.Match[str]) -> str:
    if not match.re.groups or match[1] is None:
        return MARKER
    whole, (start, end), offset = match[0], match.span(1), match.start()
    return whole[: start - offset] + MARKER + whole[end - offset :]
