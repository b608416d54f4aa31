"""The operations over blocks of bars: hot, measured, see decisions 0071 and 0074."""
