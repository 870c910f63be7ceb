"""Names for the types that recur in signatures."""

from typing import Any, TypeAlias

# The array API standard has no runtime protocol that NumPy, PyTorch and JAX arrays all satisfy to a
# type checker; the namespace is checked at the public boundary instead (`_core.checks`).
Array: TypeAlias = Any
Namespace: TypeAlias = Any
DType: TypeAlias = Any
