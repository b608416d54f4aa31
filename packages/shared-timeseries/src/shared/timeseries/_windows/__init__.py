"""Where windows of time start and end."""
