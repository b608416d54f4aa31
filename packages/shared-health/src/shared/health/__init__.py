"""Health probes and a status page."""

__all__: list[str] = []
