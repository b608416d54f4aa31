"""Values without secrets."""
