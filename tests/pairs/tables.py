"""Tables of values, by `compare` and by asking the measure for each pair."""

import numpy as np

import visavis as vv


def compared(*sides, **options):
    """Compare without a progress bar."""
    return vv.compare(*sides, progress=False, **options)


def stacked(res):
    """The values of all measures, (measures, rows, cols)."""
    return np.array([each.values for each in res.values()])


def each_pair(measure, a, b):
    return np.array([[float(measure(X, Y)) for Y in b.values()] for X in a.values()])
