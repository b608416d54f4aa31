"""Check whether the stores answer: side by side, one deadline, no retries.

PostgreSQL and Redis are checked by their drivers, since only a login shows a wrong password;
ClickHouse and Qdrant over HTTP, without a driver.
"""

from __future__ import annotations

import http.client
import importlib.util
import queue
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from shared.core.redaction import one_line

from .._base.result import ServiceHealth, ValidationResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .._secret.urls import SecretURL
    from .._settings.settings import Settings

__all__ = ["check_services"]


class Failure(Exception):  # noqa: N818 - an outcome
    """A store that answered, but not as it should; `remedy` is what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


class DriverMissing(Exception):  # noqa: N818 - an outcome
    """The driver of a store is not installed."""


class Outcome(NamedTuple):
    """The outcome of one check."""

    health: ServiceHealth
    remedy: str = ""


def check_services(settings: Settings, stores: Iterable[str], timeout: float) -> ValidationResult:
    """Check what `ConfigValidator.validate_services` promises."""
    database = settings.database
    result = ValidationResult()
    deadline = time.monotonic() + timeout
    answers: queue.SimpleQueue[tuple[str, Outcome]] = queue.SimpleQueue()
    urls: dict[str, SecretURL] = {store: getattr(database, f"{store}_url") for store in stores}
    for store, url in urls.items():
        key = database.qdrant_api_key if store == "qdrant" else None
        # Daemons, and not a pool: name resolution cannot be interrupted, and must not delay the
        # end of the process either.
        threading.Thread(
            target=lambda store=store, url=url, key=key: answers.put(
                (store, _outcome(store, url, key, deadline))
            ),
            name=f"shared.config check {store}",
            daemon=True,
        ).start()
    outcomes: dict[str, Outcome] = {}
    while len(outcomes) < len(urls):
        try:
            store, outcome = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        outcomes[store] = outcome
    for store, url in urls.items():
        outcome = outcomes.get(store) or _late(store, timeout)
        result.health[store] = outcome.health
        if not outcome.health.ok:
            configured = any(name.startswith(f"{store}_") for name in database.model_fields_set)
            level: Any = "critical" if configured or settings.is_production else "warning"
            if outcome.health.status == "unknown":
                level = "warning"
            where = f"{url.host}:{url.port or url.default_port}" if url.host else str(url)
            message = f"{outcome.health.status} at {where}: {outcome.health.detail}"
            result.add(store, message, outcome.remedy, level)
    return result


def _late(store: str, timeout: float) -> Outcome:
    upper = store.upper()
    return Outcome(
        ServiceHealth("timeout", None, f"no answer within {timeout:g} s"),
        f"check {upper}_HOST, {upper}_PORT, the network and the firewall",
    )


def _outcome(store: str, url: SecretURL, key: Any, deadline: float) -> Outcome:
    """Check one store; every error becomes an outcome without secrets."""
    upper = store.upper()
    start = time.monotonic()
    hidden = {s.reveal() for s in (url.password, key) if s is not None}
    hidden |= {quote(text, safe="") for text in hidden} | {url.reveal()}
    try:
        if url.embedded:
            _check_embedded(store)
            return Outcome(ServiceHealth("embedded", None, str(url)))
        timeout = max(0.05, deadline - start)
        _CHECKS[store](url, key, timeout)
        return Outcome(ServiceHealth("up", time.monotonic() - start))
    except DriverMissing as error:
        return Outcome(
            ServiceHealth("unknown", None, "not checked, the driver is missing"), str(error)
        )
    except Exception as error:  # noqa: BLE001 - any error of a driver is an answer
        detail = one_line(str(error), secrets=hidden) or type(error).__name__
        remedy = getattr(error, "remedy", "") or _remedy(upper, detail)
        hung = (
            isinstance(error, TimeoutError) or "timed out" in detail or "timeout" in detail.lower()
        )
        return Outcome(ServiceHealth("timeout" if hung else "down", None, detail), remedy)


def _remedy(upper: str, detail: str) -> str:
    lower = detail.lower()
    if any(word in lower for word in ("password", "auth", "wrongpass", "noauth", "role ")):
        return f"check the user and the password of {upper}"
    if any(word in lower for word in ("name or service", "resolve", "getaddrinfo", "nodename")):
        return f"correct {upper}_HOST"
    if "database" in lower and "not exist" in lower:
        return f"create the database or correct {upper}_DB"
    return f"start it, or correct {upper}_HOST and {upper}_PORT"


def _need(module: str, extra: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise DriverMissing(f"pip install 'shared-db[{extra}]' (it brings {module})")


def _check_embedded(store: str) -> None:
    module = {"clickhouse": "chdb", "qdrant": "qdrant_client"}[store]
    _need(module, "embedded" if module == "chdb" else "qdrant")


def _check_postgres(url: SecretURL, _key: object, timeout: float) -> None:
    _need("psycopg", "postgres")
    import psycopg

    # libpq counts whole seconds, at least 2; the deadline holds in any case.
    connection = psycopg.connect(url.reveal(), connect_timeout=max(2, int(timeout) + 1))
    with connection:
        connection.execute("SELECT 1")


def _check_redis(url: SecretURL, _key: object, timeout: float) -> None:
    _need("redis", "redis")
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    client = redis.Redis.from_url(
        url.reveal(),
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
    )
    with client:
        client.ping()


def _check_clickhouse(url: SecretURL, _key: object, timeout: float) -> None:
    """Send `SELECT 1` over HTTP: it needs no driver, and a ping would not check the password."""
    headers = {"X-ClickHouse-User": url.user or "default"}
    if url.password is not None:
        headers["X-ClickHouse-Key"] = url.password.reveal()
    headers = {name: _header(text) for name, text in headers.items()}
    database = f"&database={quote(url.database, safe='')}" if url.database else ""
    status, body = _get(url, f"/?query=SELECT%201{database}", headers, timeout)
    if status in {401, 403, 516} or "AUTHENTICATION_FAILED" in body:
        raise Failure(
            f"HTTP {status}: refused the user or the password",
            "check CLICKHOUSE_USER and CLICKHOUSE_PASSWORD",
        )
    if "UNKNOWN_DATABASE" in body:
        raise Failure(
            f"the database {url.database!r} does not exist", "create it or correct CLICKHOUSE_DB"
        )
    if status != 200 or body.strip() != "1":
        raise Failure(
            f"HTTP {status}: this is not ClickHouse's HTTP interface",
            "correct CLICKHOUSE_PORT (8123, or 8443 with TLS)",
        )


def _check_qdrant(url: SecretURL, key: Any, timeout: float) -> None:
    """Get the readiness, then the list of collections: only that request checks the key."""
    headers = {} if key is None else {"api-key": _header(key.reveal())}
    deadline = time.monotonic() + timeout
    status, _ = _get(url, "/readyz", headers, timeout)
    if status in {200, 404}:  # servers before 1.4 have no /readyz
        left = max(0.05, deadline - time.monotonic())
        status, _ = _get(url, "/collections", headers, left)
    if status in {401, 403}:
        raise Failure(f"HTTP {status}: refused the API key", "check QDRANT_API_KEY")
    if status == 503:
        raise Failure("HTTP 503: is not ready yet", "wait until its shards are loaded")
    if status != 200:
        raise Failure(
            f"HTTP {status}: this is not Qdrant's REST interface", "correct QDRANT_PORT (6333)"
        )


def _header(text: str) -> str:
    """Encode a header as UTF-8, as the servers read it; a line break would end it."""
    if any(c in text for c in "\r\n\0"):
        raise Failure(
            "the password contains a line break or NUL, which HTTP cannot transport", "change it"
        )
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def _get(url: SecretURL, path: str, headers: dict[str, str], timeout: float) -> tuple[int, str]:
    host, port = url.host or "localhost", url.port or url.default_port
    connection: http.client.HTTPConnection
    if url.encrypted:
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read(65536).decode("utf-8", "replace")
    except http.client.HTTPException as error:
        raise Failure(f"no HTTP answer ({type(error).__name__})", "check host and port") from None
    finally:
        connection.close()


_CHECKS: dict[str, Callable[[SecretURL, Any, float], None]] = {
    "postgres": _check_postgres,
    "clickhouse": _check_clickhouse,
    "qdrant": _check_qdrant,
    "redis": _check_redis,
}
