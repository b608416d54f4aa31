"""The order in which a service ends."""
