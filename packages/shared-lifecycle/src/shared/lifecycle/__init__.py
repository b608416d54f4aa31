"""Graceful shutdown and resource pools."""

__all__: list[str] = []
