"""Single files by their paths, outside any store."""
