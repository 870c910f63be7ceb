"""Representations of nets that have their layers in common, or nothing at all."""

import numpy as np

LAYERS = ("conv1", "conv2", "conv3", "fc")
WIDTHS = (7, 9, 5, 4)


def turned(X, random):
    """A random rotation of the features, in another order and at another place."""
    rotation, _ = np.linalg.qr(random.normal(size=(X.shape[1], X.shape[1])))
    return X @ rotation + random.normal(size=X.shape[1])


def nets(count=3, *, n=60, noise=1.0, seed=0, names=LAYERS):
    """Nets of the same layers, each in coordinates and with noise of its own."""
    random = np.random.default_rng(seed)
    widths = [WIDTHS[k % len(WIDTHS)] for k in range(len(names))]
    common = [random.normal(size=(n, p)) * 0.7 ** np.arange(p) for p in widths]
    return {
        f"seed{k}": {
            name: turned(X + noise * random.normal(size=X.shape), random)
            for name, X in zip(names, common, strict=True)
        }
        for k in range(count)
    }


def unrelated(count=3, *, n=60, seed=0, names=LAYERS):
    """Nets that have nothing in common."""
    random = np.random.default_rng(seed)
    return {
        f"seed{k}": {
            name: random.normal(size=(n, WIDTHS[i % len(WIDTHS)])) for i, name in enumerate(names)
        }
        for k in range(count)
    }
