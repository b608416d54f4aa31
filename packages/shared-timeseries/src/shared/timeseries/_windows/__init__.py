"""Where windows of time begin and end."""
