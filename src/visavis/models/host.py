"""Host memory: what is kept of outputs that are NumPy arrays, as of ONNX and Keras models."""

from collections.abc import Callable

import numpy as np

from visavis._core import checks
from visavis.models.masks import Masks
from visavis.models.pooling import Pooled, Pooling, Storage


def copier(
    where: str, pooling: Pooling, storage: Storage
) -> Callable[[np.ndarray, str, Masks], Pooled]:
    """Return what keeps an output: pooled, in memory of its own, as `storage` says."""
    if storage.device is not None and str(storage.device) != "cpu":
        expected = 'be "cpu" for a model whose activations are NumPy arrays'
        raise ValueError(checks.message(where, "device", expected, str(storage.device)))

    def copy(output: np.ndarray, name: str, masks: Masks) -> Pooled:
        pooled, counts = pooling.apply(output, name, masks)
        if not isinstance(pooled, np.ndarray):
            expected = f"return a NumPy array for `{name}`"
            raise TypeError(checks.message(where, "pool", expected, type(pooled).__name__))
        return Pooled(np.array(storage.cast(pooled, name), order="C"), counts)

    return copy
