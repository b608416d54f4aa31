"""The status page in a real browser: Debian's chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from shared.health import Health, HealthServer, HealthStatus, Heartbeat

pytestmark = pytest.mark.system

HOSTILE = "<img src=x onerror=alert(1)>'\"&<script>alert(2)</script>"


def find_chromium():
    return (
        shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )


def ensure_chromium():
    """Find the browser; as root on Debian, install it; else skip loudly, but never in CI."""
    found = find_chromium()
    if not found and hasattr(os, "getuid") and not os.getuid() and shutil.which("apt-get"):
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (
            ["apt-get", "update", "-qq"],
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"],
        ):
            subprocess.run(command, env=env, check=False, capture_output=True, timeout=300)
        found = find_chromium()
    if not found:
        message = "NO BROWSER: install chromium to test the status page (apt-get install chromium)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        print(message, file=sys.stderr)
        pytest.skip(message)
    return found


@pytest.fixture(scope="module")
def browser():
    program = ensure_chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture
def service():
    """A service in a bad hour: something of every kind, and hostile texts."""
    hung = threading.Event()
    health = Health("orders", "1.4.0")
    health.state = {"payments": True}  # type: ignore[attr-defined]
    health.add("postgres", lambda: None, interval=0.1)
    health.add("search", lambda: (HealthStatus.DEGRADED, "replica lags by 12 s"), interval=0.1)
    health.add("payments", lambda: health.state["payments"], interval=0.1, fail_after=1)  # type: ignore[attr-defined]
    health.add("queue", lambda: hung.wait(60), timeout=0.2, interval=0.5, critical=False)
    health.add("reports", lambda: None, initial_delay=600, critical=False)
    health.add("worker", Heartbeat(600))

    def hostile():
        raise ConnectionError(f"{HOSTILE} at postgresql://app:hunter2@db/orders")

    health.add(HOSTILE, hostile, interval=0.1, critical=False)
    server = HealthServer(health, port=0, host="127.0.0.1").start_in_background()
    yield health, server
    hung.set()
    server.stop()


# It looks ten times as often, every 0.2 s. How long it waits for an answer stays: a busy machine
# must not look like a dead server.
HURRY = (
    "{ const timer = setTimeout; window.setTimeout = (f, ms) => timer(f, ms === 2000 ? 200 : ms) }"
)


@pytest.fixture
def open_page(browser):
    contexts = []

    def open_page(url, **settings):
        context = browser.new_context(viewport={"width": 1280, "height": 860}, **settings)
        contexts.append(context)
        context.add_init_script(HURRY)
        page = context.new_page()
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("dialog", lambda dialog: (page.problems.append("dialog"), dialog.dismiss()))
        page.on(
            "console",
            lambda message: (
                page.problems.append(message.text)
                if message.type in {"error", "warning"}
                and "ERR_CONNECTION" not in message.text
                # A 503 is what the page is for; the browser still calls it an error.
                and "503" not in message.text
                else None
            ),
        )
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()


def row(page, name):
    return page.locator("tbody tr").filter(has=page.locator("th", has_text=name)).first


def test_it_lives_shows_everything_and_greys_out(open_page, service):
    health, server = service
    page = open_page(f"{server.url}/health?verbose=1")
    page.get_by_text("timeout").wait_for()
    assert page.locator("h1").inner_text() == "orders"
    assert "Degraded" in row(page, "search").inner_text()
    assert "replica lags by 12 s" in row(page, "search").inner_text()
    assert "No result yet" in row(page, "reports").inner_text()
    hostile = page.locator("tbody tr").last
    assert HOSTILE in hostile.inner_text()
    assert "hunter2" not in page.content()
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 1

    # Live, without a reload: the same document sees the change.
    page.evaluate("document.body.dataset.mark = 'kept'")
    health.state["payments"] = False
    row(page, "payments").get_by_text("Unhealthy").wait_for()
    page.locator(".banner").get_by_text("Unhealthy", exact=True).wait_for()
    health.state["payments"] = True
    row(page, "payments").get_by_text("Healthy", exact=True).wait_for()
    health.start_draining(60)
    page.locator(".countdown").get_by_text("s left").wait_for()
    first = page.locator(".countdown").inner_text()
    for _ in range(200):  # wait_for_function would need the policy to allow eval
        if page.locator(".countdown").inner_text() != first:
            break
        page.wait_for_timeout(50)
    else:
        pytest.fail("the countdown stands still")
    assert page.evaluate("document.body.dataset.mark") == "kept"

    # The server dies: greyed out, and said in words.
    server.stop()
    page.get_by_role("alert").get_by_text("does not answer").wait_for()
    assert "grayscale" in page.locator("main").evaluate("e => getComputedStyle(e).filter")
    assert page.title().startswith("No answer")
    again = HealthServer(health, port=server.port, host="127.0.0.1").start_in_background()
    try:
        page.locator("body:not(.lost)").wait_for()
        assert page.get_by_role("alert").count() == 0
    finally:
        again.stop()
    assert page.problems == []


def test_it_is_readable_without_javascript(open_page, service):
    _, server = service
    page = open_page(f"{server.url}/health", java_script_enabled=False)
    # Scripts are off, so the browser itself reads noscript's refresh: markup, not evaluation.
    assert '<meta http-equiv="refresh" content="5">' in page.content()
    text = page.locator("main").inner_text()
    assert all(word in text for word in ("postgres", "Healthy", "Degraded", "search"))
    assert "lags" not in text
    assert "Last success" not in text


def test_keyboard_and_contrast(open_page, service):
    _, server = service
    for scheme in ("light", "dark"):
        page = open_page(f"{server.url}/health?verbose=1", color_scheme=scheme)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Checks"
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        assert page.locator("[role=status]").count() == 1
        assert page.evaluate("document.documentElement.lang") == "en"
        # A narrow window scrolls the table, not the page.
        page.set_viewport_size({"width": 400, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        low = page.evaluate(CONTRAST)
        assert low == [], f"contrast below 4.5 to 1 in {scheme}"
        assert page.problems == []


# The ratio of WCAG 2.2 (1.4.3) for every element with a text of its own.
CONTRAST = """() => {
  const channel = v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 };
  const luminance = c => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
  const numbers = text => text.match(/[\\d.]+/g).map(Number);
  const ground = e => {
    for (; e; e = e.parentElement) {
      const c = numbers(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const low = [];
  for (const e of document.querySelectorAll('main *')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    if (e.closest('svg')) continue;
    const [a, b] = [numbers(getComputedStyle(e).color), ground(e)].map(luminance).sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) low.push([e.tagName, e.textContent, ratio]);
  }
  return low;
}"""


def test_screenshots(open_page, service, tmp_path, eventually):
    """Pictures for the guide, where SHARED_HEALTH_SCREENSHOTS names a folder; else just taken."""
    health, server = service
    folder = Path(os.environ.get("SHARED_HEALTH_SCREENSHOTS") or tmp_path)
    eventually(
        "the queue hangs", lambda: all(c.error or c.name != "queue" for c in health.report().checks)
    )
    for scheme in ("light", "dark"):
        page = open_page(f"{server.url}/health?verbose=1", color_scheme=scheme)
        page.wait_for_timeout(500)  # a live refresh or two
        file = folder / f"health-page-{scheme}.png"
        page.screenshot(path=file)
        assert file.stat().st_size > 10_000
        assert page.problems == []
