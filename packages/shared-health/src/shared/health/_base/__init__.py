"""The words for what a check found."""
