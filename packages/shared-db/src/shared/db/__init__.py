"""PostgreSQL, ClickHouse, Qdrant and Redis: pools, batch writer, locks and embedded stores."""

from ._errors import (
    DatabaseError,
    DriverMissing,
    LockLost,
    NotConfigured,
    OutcomeUnknown,
    PoolClosed,
    PoolExhausted,
    Unavailable,
)

__all__ = [
    "DatabaseError",
    "DriverMissing",
    "LockLost",
    "NotConfigured",
    "OutcomeUnknown",
    "PoolClosed",
    "PoolExhausted",
    "Unavailable",
]
