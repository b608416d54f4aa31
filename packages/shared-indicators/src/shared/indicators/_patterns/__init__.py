"""The chart patterns: one file each, named after the class in lower case."""
