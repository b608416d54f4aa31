from ._kernels_numpy import *
