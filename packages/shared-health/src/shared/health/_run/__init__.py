"""Checks, and the threads that run them."""
