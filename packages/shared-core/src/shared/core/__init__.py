"""The ground floor of the shared packages: what would be a bug if two of them did it differently.

For the packages of this namespace, and for services that want their own code to behave the same.
Standard library only; no policy, no input or output, no telemetry.
"""

__all__ = ["callables", "checks", "faces", "forks", "loops", "redaction", "testing", "waiting"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return import_module(f"{__name__}.{name}")
