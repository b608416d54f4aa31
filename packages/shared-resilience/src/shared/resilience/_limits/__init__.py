"""Policies that limit how many calls there are."""
