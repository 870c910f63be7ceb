"""Names beside points, where there is room for them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

# All lengths are in points, as in the sizes of fonts.
GAP = 6.0
LINE = 10.5
_FAR = 1.5 * LINE
# Worse than to lie on all others.
_OUTSIDE = 1e9


@dataclass(frozen=True, slots=True)
class Place:
    """Where a name begins, or ends, from its point; and whether a line must lead there."""

    x: float
    y: float
    align: str
    line: bool


@dataclass(frozen=True, slots=True)
class _Box:
    left: float
    bottom: float
    right: float
    top: float

    def shared(self, other: "_Box") -> float:
        """Return the area that two boxes have in common."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.top, other.top) - max(self.bottom, other.bottom)
        return max(0.0, width) * max(0.0, height)

    @property
    def area(self) -> float:
        """Width times height."""
        return (self.right - self.left) * (self.top - self.bottom)


def places(
    points: np.ndarray, widths: Sequence[float], frame: tuple[float, float, float, float]
) -> list[Place]:
    """Return a place for the name of each point: inside the frame, on as little as can be.

    One name after the other takes the best of its places that is left, those with the fewest
    places first.

    Parameters
    ----------
    points : ndarray, (n, 2)
    widths : sequence of float
        Of the names.
    frame : left, bottom, right, top
    """
    outer = _Box(*frame)
    dots = [_Box(x - 4, y - 4, x + 4, y + 4) for x, y in points.tolist()]
    crowd = np.linalg.norm(points[:, None] - points[None], axis=2)
    order = np.argsort(-(crowd < 5 * LINE).sum(axis=1), kind="stable")
    taken: list[_Box] = []
    found: dict[int, Place] = {}
    for k in order.tolist():
        best, least = Place(GAP, 0.0, "left", line=False), float("inf")
        box = dots[k]
        for candidate in _candidates(outer.top - outer.bottom):
            if least <= np.hypot(candidate.x, candidate.y):
                break  # what comes is farther away
            tried = _box(points[k], widths[k], candidate)
            cost = float(np.hypot(candidate.x, candidate.y))
            cost += 0.0 if tried.shared(outer) >= tried.area else _OUTSIDE
            cost += sum(30 * tried.shared(each) for each in taken)
            cost += sum(10 * tried.shared(each) for each in dots)
            if cost < least:
                best, least, box = candidate, cost, tried
        taken.append(box)
        found[k] = best
    return [found[k] for k in range(len(points))]


def _candidates(height: float) -> Iterator[Place]:
    """Yield places around a point, the nearest first."""
    yield Place(GAP, 0.0, "left", line=False)
    yield Place(-GAP, 0.0, "right", line=False)
    yield Place(0.0, LINE, "center", line=False)
    yield Place(0.0, -LINE, "center", line=False)
    for step in np.arange(LINE / 2, height, LINE / 2).tolist():
        for y in (step, -step):
            for x, align in ((GAP, "left"), (-GAP, "right")):
                # Further out the line has room to turn.
                far = step > _FAR
                yield Place(2 * x if far else x, y, align, line=far)


def _box(point: np.ndarray, width: float, place: Place) -> _Box:
    x, y = float(point[0]) + place.x, float(point[1]) + place.y
    left = x - {"left": 0.0, "center": width / 2, "right": width}[place.align]
    return _Box(left, y - LINE / 2, left + width, y + LINE / 2)
