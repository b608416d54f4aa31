"""Settings, secrets, validation reports and feature flags for services."""

__all__: list[str] = []
