"""Loggers, and everything that logs through them."""
