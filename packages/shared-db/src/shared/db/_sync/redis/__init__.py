"""Redis through redis-py."""
