"""Middlewares."""
