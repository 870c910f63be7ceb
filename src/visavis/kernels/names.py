"""Kernels by their names, for text such as ``"rbf(0.4)"``."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from visavis._core import checks
from visavis.kernels.distances import laplacian, rbf
from visavis.kernels.given import precomputed
from visavis.kernels.kernel import Kernel
from visavis.kernels.products import cosine, linear, polynomial

NAMED: Mapping[str, Callable[..., Kernel]] = MappingProxyType(
    {
        factory.__name__: factory
        for factory in (linear, rbf, laplacian, polynomial, cosine, precomputed)
    }
)
"""Every kernel by name, for text such as ``"rbf(0.4)"``."""


def named(where: str, kernel: Kernel | str) -> Kernel:
    """Return the kernel that `kernel` is or names with its default parameters."""
    if isinstance(kernel, Kernel):
        return kernel
    if not isinstance(kernel, str):
        raise TypeError(
            checks.message(
                where,
                "kernel",
                "be a name or a visavis.kernels.Kernel",
                type(kernel).__name__,
                "For instance visavis.kernels.rbf(0.4).",
            )
        )
    checks.option(where, "kernel", kernel, tuple(NAMED))
    return NAMED[kernel]()
