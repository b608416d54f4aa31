"""One file an indicator; the file is named as the class, in lower case."""
