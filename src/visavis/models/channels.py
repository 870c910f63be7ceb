"""Channels: pooling of maps whose last dimension is the channel, as in Flax and Keras."""

from visavis._core import array
from visavis._core.types import Array
from visavis.models.masks import Masks
from visavis.models.pooling import Pooled, Pooling

# The poolings that know channels, which they expect at dimension 1, and from how many dimensions
# on. Positions of (n, t, d) have theirs last already.
_MAPS = {"gap": 3, "positions": 4}


def channels_last(pooling: Pooling) -> Pooling:
    """Return `pooling` for outputs (n, ..., c)."""
    if pooling.name not in _MAPS:
        return pooling

    def apply(output: Array, layer: str, masks: Masks) -> Pooled:
        if output.ndim >= _MAPS[pooling.name]:
            output = array.namespace(output).moveaxis(output, -1, 1)
        return pooling.apply(output, layer, masks)

    return Pooling(pooling.name, apply)
