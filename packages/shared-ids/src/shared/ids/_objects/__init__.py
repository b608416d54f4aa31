"""Dictionaries with attributes, and back."""
