"""Formulas as graphs of operations, and the running state of each operation."""
