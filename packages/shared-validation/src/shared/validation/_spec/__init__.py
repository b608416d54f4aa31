"""What may stand in a schema, and the objects that users hold."""
