"""Ways to deal out groups and orders: all of them where they are few, else some at random."""

import math
from collections.abc import Iterator
from itertools import combinations, permutations

import numpy as np

# A statistic of another labelling that is equal but for rounding is as large as the one seen.
ROUNDING = 1e-9


def orders(count: int, draws: int, seed: int) -> np.ndarray:
    """Return orders of some things, the given one first: all of them, or some at random.

    Parameters
    ----------
    count : int
        How many things.
    draws : int
        How many orders, the given one included, where there are more than that.
    seed : int
        Draws them.

    Returns
    -------
    ndarray of int, (ways, count)
    """
    if math.factorial(count) <= draws:
        return np.array(list(permutations(range(count))))
    return drawn_orders(count, draws, seed)


def drawn_orders(count: int, draws: int, seed: int) -> np.ndarray:
    """Return so many orders of some things, the given one first and others at random."""
    random = np.random.default_rng([seed, count])
    return np.array([np.arange(count), *(random.permutation(count) for _ in range(draws - 1))])


def labellings(member: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Return ways to deal things to groups of the same sizes, the given one first; see `orders`."""
    sizes = np.bincount(member)
    ways = math.factorial(len(member)) // math.prod(math.factorial(size) for size in sizes.tolist())
    if ways > draws:
        return member[orders(len(member), draws, seed)]
    every = np.array(list(_dealt(tuple(range(len(member))), sizes.tolist())))
    given = (every == member).all(axis=1)
    return np.concatenate([every[given], every[~given]])


def _dealt(places: tuple[int, ...], sizes: list[int]) -> Iterator[list[int]]:
    """Yield the group of each place, for every way to fill groups of these sizes."""
    labels = [0] * len(places)

    def filled(free: tuple[int, ...], group: int) -> Iterator[list[int]]:
        if group == len(sizes):
            yield list(labels)
            return
        for chosen in combinations(free, sizes[group]):
            for place in chosen:
                labels[place] = group
            yield from filled(tuple(each for each in free if each not in chosen), group + 1)

    return filled(places, 0)


def as_large(values: np.ndarray) -> float:
    """Return the share of values that are as large as the first, which is the one seen."""
    return float((values >= values[0] - ROUNDING).mean())
