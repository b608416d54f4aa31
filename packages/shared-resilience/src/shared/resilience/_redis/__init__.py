"""Limits and breakers whose state many processes share."""
