"""Hot: the arithmetic, measured; see decision 0060."""
