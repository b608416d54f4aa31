"""Logs, metrics, tracing, timers and a reporter for services."""

__all__: list[str] = []
