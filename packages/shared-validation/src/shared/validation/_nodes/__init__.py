"""The parts that a validator is made of: each builds a function that checks."""
