"""Layer correspondence from its definition: trial by trial, importing nothing of visavis.

``score(a, i, b, j)`` is higher for more alike layers i of net a and j of net b.
"""

import math


def slow_accuracy(score, nets, layers):
    """Count the hits in %, trial by trial; a tie of k layers is 1/k of a hit for each."""
    hits, trials = 0.0, 0
    for a in nets:
        for b in nets:
            if a == b:
                continue
            for i in range(layers):
                others = [score(a, i, b, j) for j in range(layers)]
                best = [j for j in range(layers) if others[j] == max(others)]
                hits += (i in best) / len(best)
                trials += 1
    return 100 * hits / trials


def slow_standard_error(score, nets, layers):
    """Jackknife by recomputing the accuracy without each network."""
    return jackknife([slow_accuracy(score, [n for n in nets if n != k], layers) for k in nets])


def jackknife(without):
    """The standard error from the values without each of m units."""
    m, centre = len(without), sum(without) / len(without)
    return math.sqrt((m - 1) / m * sum((value - centre) ** 2 for value in without))
