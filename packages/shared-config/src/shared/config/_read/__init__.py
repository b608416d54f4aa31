"""From variables to validated values, and back to messages."""
