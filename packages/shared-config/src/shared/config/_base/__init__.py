"""Errors, findings, and what knows nothing of settings."""
