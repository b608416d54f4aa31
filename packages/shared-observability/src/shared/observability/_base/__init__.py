"""What every other room stands on: levels, and calls."""
