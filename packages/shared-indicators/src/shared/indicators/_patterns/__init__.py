"""One file a chart pattern; the file is named as the class, in lower case."""
