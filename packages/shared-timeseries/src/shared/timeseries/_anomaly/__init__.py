"""What is unusual, in a whole series and in a stream."""
