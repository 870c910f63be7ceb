"""What files are called where several of them are told apart."""

from collections.abc import Sequence
from pathlib import Path

from visavis._core import checks
from visavis.store.readers import SUFFIXES


def told_apart(places: Sequence[str]) -> dict[str, str]:
    """Return places by the shortest ends of their paths that tell them apart.

    Parameters
    ----------
    places : sequence of str
        Paths or addresses, each once, whether or not there is something.

    Raises
    ------
    ValueError
        If one is there twice.

    Examples
    --------
    >>> told_apart(["runs/a/seed0.npz", "runs/a/seed1.npz"])
    {'seed0': 'runs/a/seed0.npz', 'seed1': 'runs/a/seed1.npz'}
    >>> list(told_apart(["runs/a/acts.npz", "runs/b/acts.npz"]))
    ['a-acts', 'b-acts']
    """
    whole = {}
    for place in places:
        full = place if "://" in place else str(Path(place).resolve())
        whole[place] = [part for part in full.split("/") if part]
    again = [one for one in places if sum(whole[one] == whole[other] for other in places) > 1]
    if again:
        raise ValueError(
            checks.message("runs", "paths", "be different ones", f"{again[0]!r} twice")
        )
    bare = {place: [*parts[:-1], _stem(parts[-1])] for place, parts in whole.items()}
    for parts in (bare, whole):  # a.npy and a.npz differ in nothing else
        for length in range(1, max(map(len, parts.values()), default=0) + 1):
            names = {"-".join(each[-length:]): place for place, each in parts.items()}
            if len(names) == len(places):
                return names
    return {f"{number}-{whole[place][-1]}": place for number, place in enumerate(places, start=1)}


def _stem(name: str) -> str:
    """Return a name without its suffix, if that is one of a file and not of a version."""
    path = Path(name)
    return path.stem if path.suffix in SUFFIXES else name
