"""Addresses of mail, of the web and of machines, telephone numbers and times.

Each is a validator, and called without a value it returns one with other options.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, overload

from shared.core.checks import choice, whole

from .._checks import email, hosts, phone, text, urls
from .._nodes.leaf import STRING, Leaf
from .._spec.validator import Rule

if TYPE_CHECKING:
    from collections.abc import Collection

_MISSING: Final[Any] = object()


class _Optioned(Rule):
    """A validator that makes others of its kind."""

    if not TYPE_CHECKING:  # each class has its own overloads

        def __call__(self, value: Any = _MISSING, /, **options: Any) -> Any:
            """Return whether a value is valid; with options alone, a validator that has them."""
            if options:
                other = type(self)(**options)
                return other if value is _MISSING else other(value)
            if value is _MISSING:
                raise TypeError(f"{type(self).__name__} needs a value, or options")
            return super().__call__(value)


class EmailValidator(_Optioned):
    """Whether a value is an e-mail address, as mail systems take them.

    Needs the extra `email`. Plus signs, new top-level domains and international addresses are
    valid. The local part has at most 64 octets and the address 254 (RFC 5321). Reserved domains
    such as `localhost` are refused.

    Args:
        check_deliverability: Whether to ask the DNS if the domain takes mail; the only option that
            uses the network.
        quoted_local: Whether `"a b"@example.org` is allowed.
        literal: Whether `a@[192.0.2.1]` is allowed.

    Example:
        >>> from shared.validation import is_email
        >>> is_email("ada+news@example.org"), is_email("a@b@example.org")
        (True, False)
        >>> is_email(quoted_local=True)('"a b"@example.org')
        True
    """

    def __init__(
        self,
        *,
        check_deliverability: bool = False,
        quoted_local: bool = False,
        literal: bool = False,
    ) -> None:
        test = partial(
            email.is_email,
            check_deliverability=check_deliverability,
            quoted_local=quoted_local,
            literal=literal,
        )
        json = {"format": "idn-email"}
        super().__init__(Leaf(test, "an e-mail address", kind=STRING, json=json, exact=False))

    if TYPE_CHECKING:

        @overload
        def __call__(
            self,
            value: Any,
            /,
            *,
            check_deliverability: bool = False,
            quoted_local: bool = False,
            literal: bool = False,
        ) -> bool: ...
        @overload
        def __call__(
            self,
            /,
            *,
            check_deliverability: bool = False,
            quoted_local: bool = False,
            literal: bool = False,
        ) -> EmailValidator: ...
        def __call__(self, *args: Any, **options: Any) -> Any: ...


class UrlValidator(_Optioned):
    """Whether a value is an absolute URL by the WHATWG standard.

    What a browser would repair is refused: white space, backslashes, missing slashes. International
    hosts need the extra `idn`.

    Args:
        schemes: The allowed schemes. None: all.
        dotless: Whether hosts such as `localhost` are allowed.
        credentials: Whether `user:password@` is allowed.
        max_length: The most characters.

    Example:
        >>> from shared.validation import is_url
        >>> is_url("https://example.org/a?b#c"), is_url("javascript:alert(1)")
        (True, False)
        >>> is_url(schemes={"https"}, dotless=True)("https://localhost:8443/")
        True
    """

    def __init__(
        self,
        *,
        schemes: Collection[str] | None = ("http", "https"),
        dotless: bool = False,
        credentials: bool = False,
        max_length: int = 2083,
    ) -> None:
        allowed = None
        if schemes is not None:
            listed = (schemes,) if isinstance(schemes, str) else schemes
            allowed = frozenset(scheme.lower().rstrip(":") for scheme in listed)
        test = partial(
            urls.is_url,
            schemes=allowed,
            dotless=dotless,
            credentials=credentials,
            max_length=whole("max_length", max_length),
        )
        starts = " or ".join(f"{scheme}://" for scheme in sorted(allowed or ()))
        what = f"a URL that starts with {starts}" if starts else "a URL"
        context = {"schemes": sorted(allowed or ()), "limit": max_length}
        json = {"format": "iri", "maxLength": max_length}
        super().__init__(Leaf(test, what, kind=STRING, context=context, json=json, exact=False))

    if TYPE_CHECKING:

        @overload
        def __call__(
            self,
            value: Any,
            /,
            *,
            schemes: Collection[str] | None = ("http", "https"),
            dotless: bool = False,
            credentials: bool = False,
            max_length: int = 2083,
        ) -> bool: ...
        @overload
        def __call__(
            self,
            /,
            *,
            schemes: Collection[str] | None = ("http", "https"),
            dotless: bool = False,
            credentials: bool = False,
            max_length: int = 2083,
        ) -> UrlValidator: ...
        def __call__(self, *args: Any, **options: Any) -> Any: ...


class IpValidator(_Optioned):
    """Whether a value is an IP address, as text or as an object of `ipaddress`.

    Args:
        version: 4 or 6. None: both.
        zone: Whether an IPv6 address may have a zone id: `fe80::1%eth0`.

    Example:
        >>> from shared.validation import is_ip
        >>> is_ip("192.0.2.1"), is_ip("fe80::1%eth0"), is_ip("1.2.3"), is_ip(version=6)("::1")
        (True, True, False, True)
    """

    def __init__(self, *, version: int | None = None, zone: bool = True) -> None:
        choice("version", version, (None, 4, 6))
        test = partial(hosts.is_ip, version=version, zone=zone)
        what = "an IP address" if version is None else f"an IPv{version} address"
        json = {4: {"format": "ipv4"}, 6: None if zone else {"format": "ipv6"}, None: None}[version]
        super().__init__(Leaf(test, what, kind=STRING, json=json, exact=False))

    if TYPE_CHECKING:

        @overload
        def __call__(
            self, value: Any, /, *, version: int | None = None, zone: bool = True
        ) -> bool: ...
        @overload
        def __call__(self, /, *, version: int | None = None, zone: bool = True) -> IpValidator: ...
        def __call__(self, *args: Any, **options: Any) -> Any: ...


class HostnameValidator(_Optioned):
    """Whether a value is the name of a host: letters, digits and hyphens (RFC 1123).

    International names (RFC 5891) need the extra `idn`.

    Args:
        dotless: Whether names without a dot are allowed.
        idn: Whether letters beyond ASCII are.

    Example:
        >>> from shared.validation import is_hostname
        >>> is_hostname("db-1.example.org"), is_hostname("under_score.org"), is_hostname("1.2.3.4")
        (True, False, False)
    """

    def __init__(self, *, dotless: bool = True, idn: bool = True) -> None:
        test = partial(hosts.is_hostname, dotless=dotless, idn=idn)
        json = {"format": "idn-hostname" if idn else "hostname"}
        super().__init__(Leaf(test, "a host name", kind=STRING, json=json, exact=False))

    if TYPE_CHECKING:

        @overload
        def __call__(self, value: Any, /, *, dotless: bool = True, idn: bool = True) -> bool: ...
        @overload
        def __call__(self, /, *, dotless: bool = True, idn: bool = True) -> HostnameValidator: ...
        def __call__(self, *args: Any, **options: Any) -> Any: ...


class PhoneValidator(_Optioned):
    """Whether a value is a telephone number that the numbering plan of its country knows.

    Needs the extra `phone`.

    Args:
        region: The country of numbers without `+`, such as "GB". None: a number must have one.

    Example:
        >>> from shared.validation import is_phone
        >>> (
        ...     is_phone("+44 20 8366 1177"),
        ...     is_phone("020 8366 1177"),
        ...     is_phone(region="GB")("020 8366 1177"),
        ... )
        (True, False, True)
    """

    def __init__(self, *, region: str | None = None) -> None:
        test = partial(phone.is_phone, region=region)
        super().__init__(Leaf(test, "a telephone number", kind=STRING, context={"region": region}))

    if TYPE_CHECKING:

        @overload
        def __call__(self, value: Any, /, *, region: str | None = None) -> bool: ...
        @overload
        def __call__(self, /, *, region: str | None = None) -> PhoneValidator: ...
        def __call__(self, *args: Any, **options: Any) -> Any: ...


class IsoDatetimeValidator(_Optioned):
    """Whether a value is a date and time in the extended form of ISO 8601.

    What passes can be read by `datetime.fromisoformat` of every supported Python, but for a leap
    second.

    Args:
        offset: Whether it must be as RFC 3339 has it, with seconds and an offset.
        leap_second: Whether `23:59:60` in UTC is allowed.

    Example:
        >>> from shared.validation import is_iso_datetime
        >>> is_iso_datetime("2026-11-28T19:00:00Z"), is_iso_datetime("2026-02-30T19:00:00Z")
        (True, False)
    """

    def __init__(self, *, offset: bool = False, leap_second: bool = False) -> None:
        test = partial(text.is_iso_datetime, offset=offset, leap_second=leap_second)
        json = {"format": "date-time"} if offset else None
        what = "a date and time like '2026-11-28T19:00:00Z'"
        super().__init__(Leaf(test, what, kind=STRING, json=json, exact=False))

    if TYPE_CHECKING:

        @overload
        def __call__(
            self, value: Any, /, *, offset: bool = False, leap_second: bool = False
        ) -> bool: ...
        @overload
        def __call__(
            self, /, *, offset: bool = False, leap_second: bool = False
        ) -> IsoDatetimeValidator: ...
        def __call__(self, *args: Any, **options: Any) -> Any: ...


is_email: Final = EmailValidator()
"""Whether a value is an e-mail address; `EmailValidator` has the options."""
is_url: Final = UrlValidator()
"""Whether a value is an http or https URL; `UrlValidator` has the options."""
is_ip: Final = IpValidator()
"""Whether a value is an IP address; `IpValidator` has the options."""
is_hostname: Final = HostnameValidator()
"""Whether a value is a host name; `HostnameValidator` has the options."""
is_phone: Final = PhoneValidator()
"""Whether a value is a telephone number; `PhoneValidator` has the options."""
is_iso_datetime: Final = IsoDatetimeValidator()
"""Whether a value is a date and time of ISO 8601; `IsoDatetimeValidator` has the options."""
