"""The settings that every service shares."""
