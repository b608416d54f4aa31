"""The status page: one file, nothing loaded from elsewhere, readable without JavaScript.

The script fetches the page again and swaps `<main>`, so the server renders and escapes
in one place. Style and script are fixed texts: the policy allows exactly their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import time
from functools import cache
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from shared.core.redaction import one_line

from .._base.status import HealthStatus
from .._base.text import utc

if TYPE_CHECKING:
    from .._run.registry import Registry, Report
    from .._run.state import CheckView


@cache
def _asset(name: str) -> str:
    return files("shared.health._web").joinpath(f"page.{name}").read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


POLICY = (
    f"default-src 'none'; style-src {_hash(_asset('css'))}; script-src {_hash(_asset('js'))}; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy of the page."""

_WORDS = {
    HealthStatus.HEALTHY: ("healthy", "Healthy"),
    HealthStatus.DEGRADED: ("degraded", "Degraded"),
    HealthStatus.UNHEALTHY: ("unhealthy", "Unhealthy"),
    None: ("waiting", "No result yet"),
}

# One shape per state, so that the colour is not needed: disc, triangle, cross, ring.
_SHAPES = {
    "healthy": '<circle cx="8" cy="8" r="7"/>',
    "degraded": '<path d="M8 1 15 15H1Z"/>',
    "unhealthy": '<path d="M3 0 8 5l5-5 3 3-5 5 5 5-3 3-5-5-5 5-3-3 5-5-5-5Z"/>',
    "waiting": '<circle cx="8" cy="8" r="5.5" fill="none" stroke="currentColor" stroke-width="3"/>',
}


def render(health: Registry, report: Report, *, details: bool) -> bytes:
    """Return the page for a report; errors, latencies and history only with `details`."""
    title = escape(one_line(health.service) or "service")
    version = escape(one_line(health.version))
    kind, word = _WORDS[report.status]
    sentence = _sentence(report)
    rows = "".join(_row(view, details=details) for view in report.checks)
    columns = ["Check", "State"]
    if details:
        columns += ["Latency, last 60", "Last success", "Last failure", "Failures in a row"]
    columns.append("Groups")
    head = "".join(f'<th scope="col">{column}</th>' for column in columns)
    table = (
        f'<div class="scroll" tabindex="0" role="region" aria-label="Checks"><table><thead><tr>'
        f"{head}</tr></thead><tbody>{rows}</tbody></table></div>"
        if rows
        else "<p>No checks are registered.</p>"
    )
    note = (
        ""
        if details
        else '<p class="note">Errors, latencies and history are for loopback or the token, '
        "with <code>?verbose=1</code>.</p>"
    )
    page = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<noscript><meta http-equiv="refresh" content="5"></noscript>
<link rel="icon" href="data:,">
<title>{word} · {title}</title>
<style>{_asset("css")}</style>
</head>
<body>
<p id="lost" role="alert" hidden></p>
<main>
<header><h1>{title}</h1>{f'<p class="version">{version}</p>' if version else ""}</header>
<section class="banner {kind}" role="status"><svg viewBox="0 0 16 16" aria-hidden="true">\
{_SHAPES[kind]}</svg><div><strong>{word}</strong><span>{sentence}</span></div></section>
{table}
{note}
<footer>As of <time datetime="{utc(time.time())}">{utc(time.time())[11:19]} UTC</time></footer>
</main>
<script>{_asset("js")}</script>
</body>
</html>
"""
    return page.encode()


def _sentence(report: Report) -> str:
    if report.state == "draining":
        left = report.drain_left
        if left is None:
            return "Draining: no new work is accepted."
        return (
            f'Draining: no new work is accepted. <span class="countdown">{left:.0f} s left.</span>'
        )
    if report.state != "running":
        return escape(f"{report.state.capitalize()}: {report.reason}")
    bad = [view for view in report.checks if view.status is not HealthStatus.HEALTHY]
    if not report.checks:
        return "Running."
    if not bad:
        return (
            f"All {len(report.checks)} checks pass."
            if len(report.checks) > 1
            else "Its check passes."
        )
    return f"{len(bad)} of {len(report.checks)} checks need attention."


def _row(view: CheckView, *, details: bool) -> str:
    kind, word = _WORDS[view.status]
    name = escape(one_line(view.name))
    critical = "" if view.critical else ' <small title="its failure only degrades">optional</small>'
    error = f'<p class="error">{escape(view.error)}</p>' if details and view.error else ""
    cells = [
        f'<th scope="row">{name}{critical}{error}</th>',
        (
            f'<td><span class="state {kind}"><svg viewBox="0 0 16 16" aria-hidden="true">'
            f"{_SHAPES[kind]}</svg>{word}</span></td>"
        ),
    ]
    if details and view.checked_ago is None and view.status is not None:
        cells.append('<td colspan="4" class="soft">read by each probe</td>')  # a sign of life
    elif details:
        cells += [
            f'<td class="latency">{_sparkline(view)}</td>',
            f"<td>{_ago(view.succeeded_ago)}</td>",
            f"<td>{_ago(view.failed_ago)}</td>",
            f'<td class="number">{view.failures}</td>',
        ]
    cells.append(f"<td>{escape(', '.join(view.groups))}</td>")
    return f"<tr>{''.join(cells)}</tr>"


def _ago(seconds: float | None) -> str:
    if seconds is None:
        return "never"
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"


def _milliseconds(seconds: float) -> str:
    if seconds < 0.0001:
        return "&lt;0.1 ms"
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _sparkline(view: CheckView) -> str:
    """Draw bars of the last runs, newest at the right; a failed one is full, with a gap below."""
    if not view.history or view.latency is None:
        return ""
    top = max(latency for latency, _ in view.history) or 1e-9
    bars = []
    first = 60 - len(view.history)
    for i, (latency, status) in enumerate(view.history, start=first):
        kind, _ = _WORDS[status]
        height = 18 if not status.ok else max(1.0, 18 * latency / top)
        bars.append(
            f'<rect class="{kind}" x="{i * 2}" y="{18 - height:.1f}" width="1.5" height="{height:.1f}"/>'
            + (
                f'<rect class="{kind}" x="{i * 2}" y="19" width="1.5" height="2"/>'
                if not status.ok
                else ""
            )
        )
    failed = sum(not status.ok for _, status in view.history)
    label = (
        f"last {_milliseconds(view.latency)}, at most {_milliseconds(top)}, "
        f"{failed} of {len(view.history)} failed"
    )
    return (
        f'<svg class="spark" viewBox="0 0 120 21" role="img" aria-label="{label}">'
        f"<title>{label}</title>{''.join(bars)}</svg> <span>{_milliseconds(view.latency)}</span>"
    )
