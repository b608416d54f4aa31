"""The answer to a probe: one function for ASGI, WSGI and our own server."""

from __future__ import annotations

import ipaddress
import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs

from .._base.status import HealthStatus
from .._base.text import utc
from .page import POLICY, render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._run.registry import Registry, Report
    from .._run.state import CheckView

PREFIX = "/health"


class Response(NamedTuple):
    """A whole HTTP response; the body stays for HEAD so that the length is right."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Request(NamedTuple):
    """The relevant parts of an HTTP request; header names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    client: str | None


def group_of(path: str) -> str | None:
    """Return the group that a path requests; None if the path is not ours.

    Example:
        >>> group_of("/health/live"), group_of("/health/"), group_of("/metrics")
        ('live', '', None)
    """
    if path in {PREFIX, f"{PREFIX}/"}:
        return ""
    if path.startswith(f"{PREFIX}/"):
        return path[len(PREFIX) + 1 :].rstrip("/")
    return None


def respond(health: Registry, request: Request) -> Response:
    """Answer a probe, with 404 or 405 if needed."""
    group = group_of(request.path)
    if group is None:
        return _problem(404, "not found")
    if request.method not in {"GET", "HEAD"}:
        response = _problem(405, "method not allowed")
        return response._replace(headers=[*response.headers, ("allow", "GET, HEAD")])
    try:
        report = health.report(group)
    except KeyError:
        return _problem(404, "no such group")
    details = wants_details(request.query) and may_see_details(health, request)
    code = 200 if report.status.ok else 503
    accept = request.headers.get("accept", "")
    if group == "" and _prefers_html(accept):
        body = render(health, report, details=details)
        return Response(
            code,
            [
                ("content-type", "text/html; charset=utf-8"),
                ("cache-control", "no-store"),
                ("content-security-policy", POLICY),
                ("referrer-policy", "no-referrer"),
                ("x-content-type-options", "nosniff"),
                ("vary", "accept"),
            ],
            body,
        )
    content = _details(health, report) if details else {"status": report.status.word}
    headers = [
        ("content-type", "application/health+json"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
    ]
    if group == "":
        headers.append(("vary", "accept"))
    return Response(code, headers, json.dumps(content).encode())


def wants_details(query: str) -> bool:
    """Whether the query contains `verbose=1` (or true, yes, on, or nothing)."""
    if "verbose" not in query:
        return False
    value = parse_qs(query, keep_blank_values=True).get("verbose", ["0"])[-1]
    return value.lower() in {"", "1", "true", "yes", "on"}


def may_see_details(health: Registry, request: Request) -> bool:
    """Whether the request comes from loopback, not through a proxy, or brings the token."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and health.may_see(token.strip()):
        return True
    if _FORWARDED.intersection(request.headers):
        return False  # a proxy on this host forwards for a client elsewhere
    return _is_loopback(request.client)


_FORWARDED = frozenset({"forwarded", "x-forwarded-for", "x-real-ip", "via"})


def _is_loopback(client: str | None) -> bool:
    try:
        address = ipaddress.ip_address((client or "").partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _prefers_html(accept: str) -> bool:
    """Whether it prefers HTML: browsers name it before all else; kubelet and curl send */*."""
    if "text/html" not in accept:
        return False
    best = {"html": 0.0, "json": 0.0}
    for part in accept.split(","):
        kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    quality = float(parameter[2:])
                except ValueError:
                    quality = 0.0
        if kind in {"text/html", "application/xhtml+xml"}:
            best["html"] = max(best["html"], quality)
        elif kind in {"application/json", "application/health+json"}:
            best["json"] = max(best["json"], quality)
    return best["html"] > 0 and best["html"] >= best["json"]


def _problem(code: int, message: str) -> Response:
    headers = [
        ("content-type", "text/plain; charset=utf-8"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
    ]
    return Response(code, headers, f"{message}\n".encode())


def _details(health: Registry, report: Report) -> dict[str, Any]:
    """Return the object of draft-inadarei-api-health-check-06, with our own fields added."""
    now = time.time()
    content: dict[str, Any] = {
        "status": report.status.word,
        "serviceId": health.service,
        "version": health.version,
        "state": report.state,
    }
    if report.reason:
        content["output"] = report.reason
    if report.drain_left is not None:
        content["drainSecondsLeft"] = round(report.drain_left, 3)
    content["checks"] = {view.name: [_check(view, now)] for view in report.checks}
    return content


def _check(view: CheckView, now: float) -> dict[str, Any]:
    status = view.status or HealthStatus.UNHEALTHY
    entry: dict[str, Any] = {
        "status": status.word,
        "groups": list(view.groups),
        "critical": view.critical,
        "failures": view.failures,
    }
    if view.latency is not None:
        entry |= {"observedValue": round(view.latency * 1000, 3), "observedUnit": "ms"}
    if view.status is None:
        entry["output"] = view.error or "no result yet"
    elif view.error:
        entry["output"] = view.error
    ages = {
        "time": view.checked_ago,
        "lastSuccess": view.succeeded_ago,
        "lastFailure": view.failed_ago,
    }
    # Ages are exact; the wall-clock times are computed when requested, so that a jump of
    # the clock moves them and nothing else.
    entry |= {name: utc(now - age) for name, age in ages.items() if age is not None}
    return entry
