"""Deadlines and timeouts. Hot: decision 0032 has the measurement of each repeated line."""
