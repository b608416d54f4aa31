"""What a user's hook or predicate raises is logged: it must not replace what the caller waits for."""

from __future__ import annotations


def complain(what: str, hook: object, exc: Exception) -> None:
    """Log that what a user passed failed."""
    import logging

    logger = logging.getLogger("shared.resilience")
    logger.warning("%s %r failed", what, hook, exc_info=exc)
