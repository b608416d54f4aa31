"""The probe server."""
