"""The reference service: watches real series, stores them and reports what is wrong."""
