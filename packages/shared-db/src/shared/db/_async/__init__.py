"""The asynchronous form, which is written; see generate_sync.py."""
