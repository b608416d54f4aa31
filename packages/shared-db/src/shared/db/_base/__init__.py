"""What every other room stands on: errors, settings, secrets, observers."""
