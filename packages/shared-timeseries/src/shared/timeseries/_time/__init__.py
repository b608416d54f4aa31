"""Times and sizes: what callers write, as integer nanoseconds."""
