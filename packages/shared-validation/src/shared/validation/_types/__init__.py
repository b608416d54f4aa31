"""Annotations as nodes."""
