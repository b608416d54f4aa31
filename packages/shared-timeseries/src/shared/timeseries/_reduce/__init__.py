"""Windows, rates, rolling statistics and fewer points."""
