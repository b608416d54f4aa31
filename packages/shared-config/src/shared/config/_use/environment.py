"""Names that are nearly right, contradictions, and what must not be in production."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from .._base.names import closest
from .._base.result import Level, ValidationResult
from .._read.variables import variables
from .._secret.secrets import Secret
from .._secret.urls import SecretURL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._read.variables import Variable
    from .._settings.settings import Settings

__all__ = ["check_environment"]

# Passwords that attackers try first.
_WELL_KNOWN = frozenset(
    [
        "password",
        "passwd",
        "pass",
        "secret",
        "changeme",
        "change-me",
        "change_me",
        "changeit",
        "default",
        "admin",
        "root",
        "test",
        "postgres",
        "postgresql",
        "clickhouse",
        "redis",
        "qdrant",
        "optiinfra",
        "guest",
        "letmein",
        "qwerty",
        "example",
        "123456",
        "12345678",
        "1234",
        "password1",
        "password123",
        "s3cret",
    ]
)
_MILDER: dict[Level, Level] = {"critical": "warning", "warning": "recommendation"}


def check_environment(settings: Settings, stores: Iterable[str]) -> ValidationResult:
    """Check what `ConfigValidator.validate_environment` promises."""
    result = ValidationResult()
    _check_names(settings, result)
    strict = settings.environment in {"production", "staging"}
    if not strict:
        return result
    found = ValidationResult()
    _check_debug(settings, found)
    for store in stores:
        _check_store(settings, store, found)
    _check_secrets(settings, found)
    if not settings.is_production:
        for finding in (*found.critical, *found.warnings):
            level = _MILDER.get(finding.level, finding.level)
            result.add(finding.variable, finding.message, finding.remedy, level)
        return result
    result.merge(found)
    return result


def _check_names(settings: Settings, result: ValidationResult) -> None:
    origin = settings._origin  # noqa: SLF001 - our own
    known: set[str] = set()
    for variable in variables(type(settings)):
        if variable.group is None:
            known.update(variable.names)
            if variable.secret:
                known.update(f"{name}_FILE" for name in variable.names)
    for name, source in sorted(origin.seen.items()):
        near = closest(name, known)
        if near is not None:
            result.add(
                name, f"is set in {source} and not known", f"did you mean {near}?", "warning"
            )
    for name in settings.database._overruled:  # noqa: SLF001 - our own
        url = f"{name.partition('_')[0]}_URL"
        result.add(name, f"is set, but {url} differs and wins", f"unset {name}", "warning")
    if "ENVIRONMENT" not in origin.sources and settings.environment == "development":
        result.add(
            "ENVIRONMENT",
            "is not set; development is assumed",
            "set ENVIRONMENT=production in production",
            "recommendation",
        )


def _check_debug(settings: Settings, result: ValidationResult) -> None:
    where = f"in {settings.environment}"
    if settings.debug:
        result.add("DEBUG", f"is on {where}", "set DEBUG=false", "critical")
    if settings.logging.level == "DEBUG":
        message = f"DEBUG {where} may log private data"
        result.add("LOG_LEVEL", message, "set LOG_LEVEL=INFO", "warning")


def _check_store(settings: Settings, store: str, result: ValidationResult) -> None:
    database = settings.database
    url: SecretURL = getattr(database, f"{store}_url")
    upper = store.upper()
    if url.embedded:
        if url.reveal() in {":memory:", "chdb://memory"}:
            message = "an in-memory store forgets everything at a restart"
            result.add(f"{upper}_URL", message, "give it a path or a server", "warning")
        return
    name = "API_KEY" if store == "qdrant" else "PASSWORD"
    secret: Secret | None = getattr(database, f"{store}_{name.lower()}") or url.password
    if not secret and not url.options.get("sslcert"):
        # A Redis or a Qdrant on the same machine often has no password; elsewhere it is open.
        mild = url.local and store in {"redis", "qdrant"}
        result.add(
            f"{upper}_{name}",
            "is not set",
            f"set it, {upper}_{name}_FILE or {upper}_URL",
            "warning" if mild else "critical",
        )
    if not url.local and not url.encrypted:
        hint = {
            "postgres": "POSTGRES_URL=postgresql://...?sslmode=verify-full",
            "clickhouse": "CLICKHOUSE_URL=https://...",
            "qdrant": "QDRANT_URL=https://...",
            "redis": "REDIS_URL=rediss://...",
        }[store]
        result.add(
            f"{upper}_URL" if f"{upper}_URL" in settings._origin.sources else f"{upper}_HOST",  # noqa: SLF001 - our own
            f"the connection to {url.host} is not encrypted",
            f"use {hint}",
            "warning" if _private(url.host or "") else "critical",
        )


def _private(host: str) -> bool:
    """Whether a host is in a private network: no traffic crosses the internet."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        own = (".svc", ".local", ".internal", ".lan", ".intranet", ".home.arpa")
        return "." not in host.rstrip(".") or host.lower().rstrip(".").endswith(own)


def _check_secrets(settings: Settings, result: ValidationResult) -> None:
    users = {settings.database.postgres_user, settings.database.clickhouse_user}
    for variable in variables(type(settings)):
        if not variable.secret or variable.group is not None:
            continue
        value = variable.value_in(settings)
        if isinstance(value, SecretURL):
            value = value.password
        text = _text(value)
        if not text or not _is_own(settings, variable):
            continue
        name = variable.name
        default = variable.field.default
        if text.lower() in _WELL_KNOWN or text in users:
            result.add(
                name, "is a default credential", "set one that cannot be guessed", "critical"
            )
        elif _text(default) == text:
            message = f"is still the default of {type(settings).__name__}"
            result.add(name, message, f"set {name} or {name}_FILE", "critical")
        elif len(text) < 8:
            message = f"has only {len(text)} characters"
            result.add(name, message, "use 16 or more random ones", "warning")


def _is_own(settings: Settings, variable: Variable) -> bool:
    """Whether the value was set itself: not a URL built from parts, or a part of a URL."""
    group: Any = settings
    for name in variable.attributes[:-1]:
        group = getattr(group, name)
    return variable.attributes[-1] in group.model_fields_set or variable.field.default is not None


def _text(value: Any) -> str | None:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return value if isinstance(value, str) else None
