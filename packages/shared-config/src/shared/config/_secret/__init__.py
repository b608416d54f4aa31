"""Secrets: texts, URLs, encrypted values, files."""
