"""What every policy stands on: errors, exceptions that matter, windows over calls."""
