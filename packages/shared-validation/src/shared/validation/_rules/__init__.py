"""The validators that users name."""
