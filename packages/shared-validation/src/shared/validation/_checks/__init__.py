"""Plain functions that answer yes or no, for any value, in linear time."""
