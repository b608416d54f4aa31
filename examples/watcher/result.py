"""What a run found and did: filled while it runs, told at its end."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field


@dataclass
class Result:
    """The figures of the last line; every one is counted, none is computed from another."""

    produced: int = 0
    stored: int = 0
    lost: int = 0
    windows: int = 0
    anomalies: int = 0
    signals: int = 0
    incidents: int = 0
    duplicates: int = 0
    similar: int = 0
    calls: int = 0
    calls_failed: int = 0
    retries: int = 0
    breaker_opened: int = 0
    breaker_closed: int = 0
    recovered: int = 0
    bad_rows: int = 0
    bad_rows_first: list[str] = field(default_factory=list)
    stores: dict[str, int] = field(default_factory=dict)
    mismatches: list[str] = field(default_factory=list)
    urls: dict[str, str] = field(default_factory=dict)
    plot: str = ""
    seconds: float = 0.0

    def line(self) -> str:
        """Return the figures as one line of JSON.

        >>> Result(produced=3, stored=3).line().startswith('{"produced": 3, "stored": 3, "lost": 0')
        True
        """
        return json.dumps(asdict(self), allow_nan=False)
