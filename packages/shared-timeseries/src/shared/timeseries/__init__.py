"""Windows, aggregation, rates, anomalies and downsampling of time series."""

from shared.core.faces import face

__getattr__, __dir__, __all__ = face(__name__)
