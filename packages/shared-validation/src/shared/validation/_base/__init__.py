"""Errors, problems and results: what every other room stands on."""
