"""Identifiers that no two processes share."""
