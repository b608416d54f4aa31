"""What a line holds: fields, exceptions, and the context they come from."""
