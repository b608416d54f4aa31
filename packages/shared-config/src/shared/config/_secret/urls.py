"""A connection URL: built from parts, or passed whole; its password never shows."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from shared.core.redaction import MARKER, key_verdict

from .._base.errors import ConfigurationError
from .secrets import Secret, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

__all__ = ["SecretURL", "check_host", "is_local"]

# A query parameter with one of these in its name is hidden too: `passfile`, `sslkey`.
_SECRET_OPTIONS = ("pass", "secret", "token", "key", "credential")


class SecretURL(Secret):
    """The URL of a store. As text it hides the password; `reveal` returns it whole.

    Attributes:
        scheme: As in the URL.
        host: Host name, address or socket directory; None for an embedded store.
        port: 1 to 65535, or None if the URL contains none.
        user: The decoded user name or None.
        password: The decoded password, a `Secret`, or None.
        database: The decoded name (Redis: number) of the database or None.
        options: The query parameters; secret ones are hidden.

    Example:
        >>> from shared.config import PostgresURL
        >>> url = PostgresURL("postgresql://app:p%40ss@db.example.com/orders?sslmode=verify-full")
        >>> print(url, url.host, url.encrypted)
        postgresql://app:[REDACTED]@db.example.com/orders?sslmode=verify-full db.example.com True
        >>> url.password.reveal()
        'p@ss'
    """

    __slots__ = ("_masked", "database", "host", "options", "password", "port", "scheme", "user")

    scheme: str
    host: str | None
    port: int | None
    user: str | None
    password: Secret | None
    database: str | None
    options: Mapping[str, str]
    _masked: str

    schemes: ClassVar[Mapping[str, str]] = {}  # accepted -> as the drivers know it
    default_port: ClassVar[int] = 0
    shape: ClassVar[str] = ""
    shows_user: ClassVar[bool] = True

    def __init__(self, value: str | Secret) -> None:
        super().__init__(value)
        del value
        try:
            self._parse(self._text())
        except ValueError as error:
            problem = str(error)
        else:
            return
        # Raised here: the frames of the parser hold the text.
        raise ConfigurationError(problem)

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _bad(self, why: str) -> ValueError:
        return ValueError(f"{why}; allowed: {self.shape}, with special characters percent-encoded")

    def _parse(self, raw: str) -> None:
        scheme, colon, rest = raw.partition("://")
        driverless = scheme.lower().partition("+")[0]
        if not colon or driverless not in self.schemes:
            raise self._bad("is not a URL with a known scheme")
        if re.search(r"[\s#\\\x00-\x1f]", rest):
            raise self._bad("contains '#', a backslash, white space or a control character")
        if re.search(r"%(?![0-9A-Fa-f]{2})", rest):
            # Drivers refuse it, in messages that show the password around it.
            raise self._bad("contains a '%' that is not followed by two hexadecimal digits")
        scheme = self.schemes[driverless]
        raw = f"{scheme}://{rest}"
        try:
            split = urlsplit(raw)
        except ValueError:
            raise self._bad("is malformed") from None
        userinfo, at, location = split.netloc.rpartition("@")
        if "@" in userinfo or "@" in split.path or "@" in split.query:
            raise self._bad("contains an '@' that is not percent-encoded")
        user, colon, password = userinfo.partition(":")
        host, port = self._parse_location(location)
        pairs = parse_qsl(split.query, keep_blank_values=True)
        options = {k: MARKER if _secret_option(k) else v for k, v in pairs}
        hidden = next((v for k, v in pairs if k.lower() == "password"), "")
        secret = _decode(password) if password else hidden
        self._set(
            scheme=scheme,
            host=_decode(host) or next((v for k, v in pairs if k == "host"), None),
            port=port,
            user=_decode(user) or next((v for k, v in pairs if k == "user"), None),
            password=Secret(secret) if secret else None,
            database=_decode(split.path.strip("/")) or None,
            options=options,
        )
        self._set(_text=lambda: raw)
        shown = user if self.shows_user or not user else MARKER
        shown += f":{MARKER}" if colon else ""
        query = "&".join(
            f"{pair.partition('=')[0]}={MARKER}" if _secret_option(pair.partition("=")[0]) else pair
            for pair in split.query.split("&")
        )
        self._set(
            _masked=f"{scheme}://{shown}{at}{location}{split.path}{'?' if query else ''}{query}"
        )

    def _parse_location(self, location: str) -> tuple[str, int | None]:
        hosts, ports = [], []
        for one in location.split(","):  # libpq accepts several
            match = re.fullmatch(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::(\d*))?", one)
            if match is None:
                raise self._bad("has a port that is not a whole number in 1..65535")
            if match[2]:
                if not 1 <= int(match[2][:6]) <= 65535:
                    raise self._bad("has a port that is not in 1..65535")
                ports.append(int(match[2]))
            hosts.append(match[1].strip("[]"))
        return ",".join(hosts), ports[0] if ports else None

    @classmethod
    def build(
        cls,
        *,
        host: str,
        port: int,
        user: str | None = None,
        password: Secret | None = None,
        database: str | None = None,
    ) -> Self:
        """Build the URL from its parts, percent-encoded where needed.

        Returns:
            The URL.
        """
        name = f"/{_encode(database)}" if database else ""
        location = _location(host, port)
        return cls(f"{next(iter(cls.schemes))}://{_userinfo(user, password)}{location}{name}")

    def replace(
        self,
        *,
        host: str | None = None,
        port: int | None = None,
        user: str | None = None,
        password: Secret | None = None,
        database: str | None = None,
    ) -> Self:
        """Return this URL with some parts replaced; the options stay.

        Returns:
            A new URL.
        """
        if self.embedded or not (host or port or user or password or database):
            return self
        split = urlsplit(self._text())
        userinfo, _, location = split.netloc.rpartition("@")
        if user or password:
            old_user, _, old_password = userinfo.partition(":")
            kept = Secret(_decode(old_password)) if old_password else None
            userinfo = _userinfo(user or _decode(old_user) or None, password or kept).rstrip("@")
        if host or port:
            location = _location(host or self.host or "", port or self.port)
        netloc = f"{userinfo}@{location}" if userinfo else location
        path = f"/{_encode(database)}" if database else split.path
        return type(self)(split._replace(netloc=netloc, path=path).geturl())

    @property
    def embedded(self) -> bool:
        """Whether the store runs in this process: there is nothing to connect to."""
        return False

    @property
    def local(self) -> bool:
        """Whether the store is on this machine: loopback, socket or embedded."""
        return self.embedded or is_local(self.host)

    @property
    def encrypted(self) -> bool:
        """Whether the connection is certainly encrypted."""
        return self.embedded

    def __str__(self) -> str:
        return getattr(self, "_masked", MARKER)  # a traceback may show a refused URL

    def __reduce__(self) -> tuple[Any, ...]:
        if self._masked == self._text():
            return type(self), (self._masked,)
        return _redacted, (type(self), self._masked)

    @classmethod
    def _validate(cls, value: object) -> Self:
        if isinstance(value, SecretURL) and not isinstance(value, cls):
            raise ValueError(f"is not a {cls.__name__}; allowed: {cls.shape}")  # noqa: TRY004 - pydantic wants a ValueError
        return super()._validate(value)


def _secret_option(name: str) -> bool:
    return bool(key_verdict(name)) or any(word in name.lower() for word in _SECRET_OPTIONS)


def is_local(host: str | None) -> bool:
    """Whether a host is this machine: loopback name or address, socket folder, or none at all."""
    if not host or host.startswith(("/", "@")) or host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host.lower().endswith(".localhost")


def check_host(host: str) -> str:
    """Refuse what is not a host name, address or socket folder.

    Returns:
        The host unchanged.

    Raises:
        ValueError: It cannot be part of a URL; the message states what is allowed.
    """
    if not host:
        raise ValueError("is empty; a host name or an IP address is allowed")
    # What would end a host in the middle of a URL.
    if host.startswith("/") or not re.search(r"[\s/@:?#\[\]\\%\x00-\x1f]", host):
        return host
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        hint = "; a URL belongs into the *_URL variable" if "://" in host else ""
        raise ValueError(f"is not a host name or an IP address{hint}") from None
    return host


def _location(host: str, port: int | None) -> str:
    if ":" in host:
        host = f"[{quote(host, safe=':')}]"
    elif host.startswith("/"):
        host = quote(host, safe="")
    return host if port is None else f"{host}:{port}"


def _userinfo(user: str | None, password: Secret | None) -> str:
    text = _encode(user or "")
    if password is not None:
        text += f":{_encode(password.reveal())}"
    return f"{text}@" if text else ""


def _encode(text: str) -> str:
    return quote(text.encode("utf-8", "surrogateescape" if _escaped(text) else "surrogatepass"), "")


def _escaped(text: str) -> bool:
    """Whether every surrogate stands for a byte of an environment variable that is not UTF-8."""
    return all("\udc80" <= c <= "\udcff" for c in text if "\ud800" <= c <= "\udfff")


def _decode(text: str) -> str:
    return unquote(text, errors="surrogateescape")


def _redacted(cls: type[SecretURL], masked: str) -> SecretURL:
    url = cls(masked.replace(MARKER, quote(MARKER)))  # brackets are for addresses in a URL
    gone = Secret.__reduce__(url)[0]() if url.password is not None else None
    url._set(_text=refuse, password=gone)
    return url
