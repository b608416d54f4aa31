"""Prometheus metrics and quantiles."""
