"""Inputs, checks and constants that every room uses."""
