"""Technical indicators: batch, panel and streaming, and chart patterns."""

__all__: list[str] = []
