"""Text: fingerprints, slugs, cuts."""
