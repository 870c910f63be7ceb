"""Kernels: how alike two samples of one representation are.

A kernel is a value with a name, its parameters and a function from a representation ``(n, p)`` to
its Gram matrix ``(n, n)``. Bandwidths are fractions of a median distance, so every kernel here
but `polynomial` ignores the scale of the features.
"""

from visavis.kernels.distances import laplacian as laplacian
from visavis.kernels.distances import rbf as rbf
from visavis.kernels.given import precomputed as precomputed
from visavis.kernels.kernel import Fitted as Fitted
from visavis.kernels.kernel import Kernel as Kernel
from visavis.kernels.names import NAMED as NAMED
from visavis.kernels.names import named as named
from visavis.kernels.products import cosine as cosine
from visavis.kernels.products import linear as linear
from visavis.kernels.products import polynomial as polynomial

__all__ = ["Fitted", "Kernel", "cosine", "laplacian", "linear", "polynomial", "precomputed", "rbf"]
