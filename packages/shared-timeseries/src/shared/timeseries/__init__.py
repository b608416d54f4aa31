"""Windows, aggregation, rates, anomalies and downsampling of time series."""

__all__: list[str] = []
