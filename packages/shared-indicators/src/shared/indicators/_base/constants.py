"""Thresholds that a formula, its kernels and its compiled loops must share."""

# Below this share of the sum of squares, the difference of sums has lost too many digits.
CANCELLED = 1e-5

# RSIs that lie closer together than this are equal.
ROUNDING = 1e-10
