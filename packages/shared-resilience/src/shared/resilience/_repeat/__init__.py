"""Policies that make a call again."""
