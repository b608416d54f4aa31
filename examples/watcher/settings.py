"""The service's settings: the shared ones, and its own group (WATCHER_*)."""

from __future__ import annotations

from pydantic import BaseModel, Field

from shared.config import Settings


class WatcherGroup(BaseModel):
    """What only this service reads."""

    host: str = Field(default="127.0.0.1", description="Address that the pages are served on")
    rate: float = Field(default=10.0, gt=0, le=200, description="Samples of this machine a second")
    cloud_rate: int = Field(
        default=10, ge=1, le=100, description="Calls to the mock cloud a second"
    )
    cooldown: float = Field(
        default=5.0, gt=0, description="Seconds in which an alert is not repeated"
    )


class WatcherSettings(Settings):
    """Everything that the service reads from its environment."""

    watcher: WatcherGroup = Field(default_factory=WatcherGroup)
