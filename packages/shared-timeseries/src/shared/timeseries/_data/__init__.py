"""Columns of points in, and results back in the caller's form."""
