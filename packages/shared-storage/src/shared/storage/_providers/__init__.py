"""Stores by name, with values instead of bytes: what older code calls."""
