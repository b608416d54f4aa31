"""Resource pools for threads and tasks."""
