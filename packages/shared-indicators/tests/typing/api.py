"""The public API as a type-checked file that is never run."""

import shared.indicators as package

names: list[str] = package.__all__
