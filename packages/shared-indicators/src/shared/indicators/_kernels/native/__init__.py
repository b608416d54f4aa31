"""Whole indicators as one compiled loop each: hot, measured, see decision 0074."""
