"""The findings of a validation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Self, TypeAlias

__all__ = ["Finding", "Level", "ServiceHealth", "ValidationResult"]

Level: TypeAlias = Literal["critical", "warning", "recommendation"]


class Finding(str):
    """One finding: a text with its parts as attributes.

    Attributes:
        variable: The variable or other subject.
        message: What was found.
        remedy: What to do about it.
        level: `critical`, `warning` or `recommendation`.

    Example:
        >>> finding = Finding("DEBUG", "is on in production", "set DEBUG=false", "critical")
        >>> print(finding)
        DEBUG: is on in production; set DEBUG=false
        >>> finding.level
        'critical'
    """

    __slots__ = ("level", "message", "remedy", "variable")

    variable: str
    message: str
    remedy: str
    level: Level

    def __new__(cls, variable: str, message: str, remedy: str, level: Level) -> Self:
        text = f"{variable}: {message}; {remedy}" if remedy else f"{variable}: {message}"
        self = super().__new__(cls, text)
        self.variable, self.message, self.remedy, self.level = variable, message, remedy, level
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Finding, (self.variable, self.message, self.remedy, self.level)

    def to_dict(self) -> dict[str, str]:
        """Return the parts as a dictionary."""
        return {
            "variable": self.variable,
            "message": self.message,
            "remedy": self.remedy,
            "level": self.level,
        }


@dataclass(frozen=True, slots=True)
class ServiceHealth:
    """How one service answered.

    Attributes:
        status: `up`, `down`, `timeout`, `unknown` (no driver) or `embedded`.
        latency: Seconds until the answer; None without one.
        detail: The message of the service or the driver.

    Example:
        >>> ServiceHealth("up", latency=0.003).ok, ServiceHealth("down", detail="refused").ok
        (True, False)
    """

    status: Literal["up", "down", "timeout", "unknown", "embedded"]
    latency: float | None = None
    detail: str = ""

    @property
    def ok(self) -> bool:
        """Whether the service can be used."""
        return self.status in {"up", "embedded"}

    def to_dict(self) -> dict[str, Any]:
        """Return it as a dictionary."""
        return {
            "status": self.status,
            "ok": self.ok,
            "latency": self.latency,
            "detail": self.detail,
        }


@dataclass(slots=True)
class ValidationResult:
    """The findings of a validation, by level. Print it to read it; it contains no secret.

    Attributes:
        critical: What must be corrected.
        warnings: What should be corrected.
        recommendations: What could be better.
        health: How each service answered, by name.

    Example:
        >>> result = ValidationResult()
        >>> result.add("DEBUG", "is on in production", "set DEBUG=false", "critical")
        >>> result.is_valid, result.errors
        (False, ['DEBUG: is on in production; set DEBUG=false'])
        >>> print(result)
        The configuration is NOT valid.
        Critical:
          DEBUG: is on in production; set DEBUG=false
    """

    critical: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    recommendations: list[Finding] = field(default_factory=list)
    health: dict[str, ServiceHealth] = field(default_factory=dict)

    @property
    def is_valid(self) -> bool:
        """Whether nothing is critical."""
        return not self.critical

    @property
    def errors(self) -> list[Finding]:
        """The same list as `critical`."""
        return self.critical

    def add(self, variable: str, message: str, remedy: str, level: Level) -> None:
        """Add a finding at its level."""
        lists = {"critical": self.critical, "warning": self.warnings}
        found = lists.get(level, self.recommendations)
        finding = Finding(variable, message, remedy, level)
        if finding not in found:
            found.append(finding)

    def merge(self, other: ValidationResult) -> None:
        """Add all findings of another result."""
        for finding in (*other.critical, *other.warnings, *other.recommendations):
            self.add(finding.variable, finding.message, finding.remedy, finding.level)
        self.health.update(other.health)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as dictionaries and lists, ready for JSON."""
        return {
            "is_valid": self.is_valid,
            "critical": [finding.to_dict() for finding in self.critical],
            "warnings": [finding.to_dict() for finding in self.warnings],
            "recommendations": [finding.to_dict() for finding in self.recommendations],
            "health": {name: health.to_dict() for name, health in self.health.items()},
        }

    def __bool__(self) -> bool:
        return self.is_valid

    def __str__(self) -> str:
        lines = [
            "The configuration is valid." if self.is_valid else "The configuration is NOT valid."
        ]
        for title, findings in (
            ("Critical", self.critical),
            ("Warnings", self.warnings),
            ("Recommendations", self.recommendations),
        ):
            if findings:
                lines += [f"{title}:", *(f"  {finding}" for finding in findings)]
        if self.health:
            lines.append("Services:")
            width = max(map(len, self.health))
            for name, health in self.health.items():
                took = "" if health.latency is None else f" in {health.latency * 1000:.0f} ms"
                detail = f" ({health.detail})" if health.detail else ""
                lines.append(f"  {name:<{width}} {health.status}{took}{detail}")
        return "\n".join(lines)
