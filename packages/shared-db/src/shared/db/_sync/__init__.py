"""The synchronous form, generated from the asynchronous one by `generate_sync.py`."""
