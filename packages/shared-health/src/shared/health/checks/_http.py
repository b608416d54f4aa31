"""A check of something that speaks HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.core.checks import refuse, seconds

from .._base.status import CheckResult, HealthStatus
from .._base.times import bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping


def http(
    url: str,
    *,
    expect: Collection[int] = range(200, 300),
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    timeout: float = 2.0,
    slow_after: float | None = None,
) -> Callable[[], CheckResult]:
    """Check that a URL answers with an expected status.

    Redirects are not followed and proxies of the environment not used: exactly this address
    is checked.

    Args:
        url: http or https; certificates are verified.
        expect: The statuses that are fine.
        method: The HTTP method.
        headers: More headers, such as a token.
        timeout: Seconds for connecting, and for each read.
        slow_after: Seconds after which an answer is DEGRADED.

    Raises:
        ValueError: The URL is neither http nor https, or a time is out of its range.
    """
    timeout = bounded(timeout)
    if slow_after is not None:
        slow_after = seconds("slow_after", slow_after, unlimited=True)
    if not url.startswith(("http://", "https://")):
        raise refuse("url", "an http:// or https:// URL", url)

    def check() -> CheckResult:
        import time
        import urllib.error
        import urllib.request

        class NoRedirect(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_args: object, **_kwargs: object) -> None:
                return None

        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect)
        request = urllib.request.Request(url, method=method, headers=dict(headers or {}))  # noqa: S310 - checked above
        start = time.monotonic()
        try:
            with opener.open(request, timeout=timeout) as answer:
                status = answer.status
        except urllib.error.HTTPError as error:
            with error:
                status = error.code
        took = time.monotonic() - start
        if status not in expect:
            return CheckResult(HealthStatus.UNHEALTHY, f"answered {status}")
        if slow_after is not None and took > slow_after:
            return CheckResult(HealthStatus.DEGRADED, f"slow: {took:.2f} s")
        return CheckResult(HealthStatus.HEALTHY)

    return check
