"""Qdrant: earlier incidents whose window had the same shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.db import DatabaseConnections

COLLECTION = "watcher_incidents"
DIMENSIONS = 32
ALIKE = 0.9  # cosine


def shape(values: Sequence[float]) -> list[float]:
    """Return a window's shape as a vector: resampled, without level and scale, of length 1.

    >>> up, steeper = shape([1, 2, 3, 9]), shape([10, 20, 30, 90])
    >>> bool(np.allclose(up, steeper)), len(up)
    (True, 32)
    """
    window = np.asarray(values, dtype=np.float64)
    at = np.linspace(0, len(window) - 1, DIMENSIONS)
    vector = np.interp(at, np.arange(len(window)), window)
    vector -= vector.mean()
    length = float(np.linalg.norm(vector))
    if length < 1e-12 * max(1.0, float(np.abs(window).max())):  # flat: its own direction
        vector, length = np.ones(DIMENSIONS), float(np.sqrt(DIMENSIONS))
    return [float(v) for v in (vector / length).astype(np.float32)]


class Similar:
    """The service's collection in Qdrant."""

    def __init__(self, db: DatabaseConnections) -> None:
        self._db = db

    def create(self) -> None:
        """Make the collection if it is not there."""
        from qdrant_client.models import Distance, VectorParams

        if not self._db.qdrant.collection_exists(COLLECTION):
            params = VectorParams(size=DIMENSIONS, distance=Distance.COSINE)
            self._db.qdrant.create_collection(COLLECTION, vectors_config=params)

    def find(self, vector: list[float], limit: int = 3) -> list[dict[str, Any]]:
        """Return the earlier incidents most like this one, the best first."""
        found = self._db.qdrant.query_points(
            COLLECTION, query=vector, limit=limit, score_threshold=ALIKE, with_payload=True
        )
        return [
            {
                "incident": p.id,
                "series": (p.payload or {}).get("series"),
                "likeness": round(p.score, 4),
            }
            for p in found.points
        ]

    def keep(self, incidents: Sequence[tuple[int, str, list[float]]]) -> None:
        """Write (number, series, shape) of incidents; twice the same is once."""
        from qdrant_client.models import PointStruct

        points = [
            PointStruct(id=number, vector=vector, payload={"series": series})
            for number, series, vector in incidents
        ]
        if points:
            self._db.qdrant.upsert(COLLECTION, points=points, wait=True)

    def count(self) -> int:
        """Return how many incidents are kept here."""
        return int(self._db.qdrant.count(COLLECTION, exact=True).count)
