"""The synchronous form, generated from `_async`; see generate_sync.py."""
