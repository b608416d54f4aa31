"""From a record to written bytes."""
