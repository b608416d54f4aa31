"""What OpenFeature's client calls on a provider.

`AbstractProvider` would bring most of it, but its package has no ``__init__.py``, and pyright does
not vouch for a class that inherits from it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from openfeature.event import ProviderEvent, ProviderEventDetails
from openfeature.provider import Metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from openfeature.evaluation_context import EvaluationContext
    from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType
    from openfeature.hook import Hook
    from openfeature.provider import FeatureProvider
    from openfeature.track import TrackingEventDetails

__all__ = ["Provider"]


class Provider(ABC):
    """The interface of a provider, reduced to one method."""

    _on_emit: Callable[[FeatureProvider, ProviderEvent, ProviderEventDetails], None] | None = None

    @abstractmethod
    def resolve(
        self, flag_key: str, default: Any, context: EvaluationContext | None, kind: Any
    ) -> FlagResolutionDetails[Any]:
        """Evaluate a flag that must be of a type, or of one out of a tuple of types."""

    @abstractmethod
    def start(self) -> None:
        """Begin to watch the source."""

    @abstractmethod
    def shutdown(self) -> None:
        """Stop watching."""

    def attach(
        self, on_emit: Callable[[FeatureProvider, ProviderEvent, ProviderEventDetails], None]
    ) -> None:
        """Remember whom to tell of changes."""
        self._on_emit = on_emit

    def detach(self) -> None:
        """Tell nobody any more."""
        self._on_emit = None

    def tell(self, changed: list[str]) -> None:
        """Tell OpenFeature which flags changed."""
        emit = self._on_emit
        if emit is not None:
            event = ProviderEvent.PROVIDER_CONFIGURATION_CHANGED
            emit(self, event, ProviderEventDetails(flags_changed=changed))

    def initialize(self, evaluation_context: EvaluationContext) -> None:  # noqa: ARG002 - its interface
        """Start watching."""
        self.start()

    def get_metadata(self) -> Metadata:
        """Return the provider's name."""
        return Metadata("shared-config")

    def get_provider_hooks(self) -> list[Hook]:
        """Return no hooks."""
        return []

    def track(  # noqa: B027 - nothing to do is what it does
        self,
        tracking_event_name: str,
        evaluation_context: EvaluationContext | None = None,
        tracking_event_details: TrackingEventDetails | None = None,
    ) -> None:
        """Ignore what is tracked: a file keeps no statistics."""

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        """Evaluate a boolean flag."""
        return self.resolve(flag_key, default_value, evaluation_context, bool)

    async def resolve_boolean_details_async(
        self,
        flag_key: str,
        default_value: bool,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        """Evaluate a boolean flag; nothing in it waits."""
        return self.resolve(flag_key, default_value, evaluation_context, bool)

    def resolve_string_details(
        self,
        flag_key: str,
        default_value: str,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[str]:
        """Evaluate a text flag."""
        return self.resolve(flag_key, default_value, evaluation_context, str)

    async def resolve_string_details_async(
        self,
        flag_key: str,
        default_value: str,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[str]:
        """Evaluate a text flag; nothing in it waits."""
        return self.resolve(flag_key, default_value, evaluation_context, str)

    def resolve_integer_details(
        self,
        flag_key: str,
        default_value: int,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[int]:
        """Evaluate a whole-number flag."""
        return self.resolve(flag_key, default_value, evaluation_context, int)

    async def resolve_integer_details_async(
        self,
        flag_key: str,
        default_value: int,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[int]:
        """Evaluate a whole-number flag; nothing in it waits."""
        return self.resolve(flag_key, default_value, evaluation_context, int)

    def resolve_float_details(
        self,
        flag_key: str,
        default_value: float,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[float]:
        """Evaluate a number flag."""
        return self.resolve(flag_key, default_value, evaluation_context, (float, int))

    async def resolve_float_details_async(
        self,
        flag_key: str,
        default_value: float,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[float]:
        """Evaluate a number flag; nothing in it waits."""
        return self.resolve(flag_key, default_value, evaluation_context, (float, int))

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        """Evaluate a flag that is a list or a mapping."""
        return self.resolve(flag_key, default_value, evaluation_context, (list, dict))

    async def resolve_object_details_async(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        """Evaluate a flag that is a list or a mapping; nothing in it waits."""
        return self.resolve(flag_key, default_value, evaluation_context, (list, dict))
