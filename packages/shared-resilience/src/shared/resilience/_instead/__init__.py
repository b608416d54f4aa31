"""Policies that answer in place of a call or fail it, and calls in batches."""
