"""The reference service: watches real series, keeps them, and tells what is wrong."""
