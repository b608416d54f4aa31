"""Runs a formula: over blocks, bar by bar, and for many symbols at once."""
