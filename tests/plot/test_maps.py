"""Maps and trees: distances are kept, names are read, and the same models give the same picture."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.text import Annotation
from scipy.cluster import hierarchy
from scipy.spatial.distance import cdist, squareform
from tests.plot.conftest import ANGLE, CKA, HSIC

from visavis.plot import beside, dendrogram, distances, embedding
from visavis.plot.spaces import scaled
from visavis.results import Comparison, ModelComparison, Scale

DISTANCE = Scale("bures", 0.0, np.inf, "distance", symmetric=True)
DIRECTED = Scale("information_imbalance", 0.0, 2.0, "distance", symmetric=False)
HOSTILE = ("$x_1$", "a_b^c", "two\nlines", "<b>", "_hidden", "\x1b[31mred", "層", r"\frac{1}{2}")


def of(values, scale=DISTANCE, names=None):
    """A comparison of models with themselves."""
    names = tuple(names or (f"seed{k}" for k in range(len(values))))
    return Comparison(
        np.asarray(values, float), names, names, scale, n=100, names=("models",) * 2, unit="model"
    )


def plane(n=9, seed=0, stretch=(3.0, 1.0)):
    """Points in a plane, and their distances."""
    points = np.random.default_rng(seed).normal(size=(n, 2)) * stretch
    return points, cdist(points, points)


def drawn(ax):
    """The points of a map, in the order in which they were drawn."""
    return np.concatenate([each.get_offsets() for each in ax.collections])


def names(ax):
    """The names on a map, without the lines that lead to them."""
    return [each for each in ax.texts if isinstance(each, Annotation) and each.get_text()]


def boxes(ax):
    """The frame, and the place of each name, in pixels of the finished picture."""
    ax.figure.canvas.draw()
    return ax.get_window_extent(), [each.get_window_extent() for each in names(ax)]


# Distances.


def test_a_distance_stays_and_a_similarity_becomes_that_of_unit_vectors():
    vectors = np.random.default_rng(0).normal(size=(6, 4))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = cdist(vectors, vectors)
    np.testing.assert_allclose(distances(of(vectors @ vectors.T, CKA)), expected, atol=1e-7)
    np.testing.assert_array_equal(distances(of(plane()[1])), plane()[1])


def test_the_two_directions_are_averaged():
    values = [[0.0, 0.2], [0.6, 0.0]]
    np.testing.assert_array_equal(distances(of(values, DIRECTED)), [[0, 0.4], [0.4, 0]])


def test_a_value_with_itself_is_no_distance():
    values = np.array([[0.9, 0.5], [0.5, 0.8]])
    res = of(values, CKA)
    np.testing.assert_array_equal(distances(res), [[0, 1], [1, 0]])
    np.testing.assert_array_equal(res.values, [[0.9, 0.5], [0.5, 0.8]])


def test_more_alike_than_possible_by_rounding():
    np.testing.assert_array_equal(distances(of(np.full((2, 2), 1 + 1e-15), CKA)), np.zeros((2, 2)))


def test_many_models_are_reduced():
    layers = {"a": ("x", "y"), "b": ("y", "x")}
    rows = ("a/x", "a/y", "b/y", "b/x")
    values = np.array([[0, 9, 9, 2], [9, 0, 4, 9], [9, 4, 0, 9], [2, 9, 9, 0.0]])
    res = ModelComparison(Comparison(values, rows, rows, DISTANCE, n=9), layers)
    np.testing.assert_array_equal(distances(res), [[0, 3], [3, 0]])
    values[0, 2] = values[2, 0] = 1.0
    assert distances(res, reduce="best")[0, 1] == (1 + 4 + 1 + 2) / 4
    assert embedding(res).get_title(loc="left").startswith("bures")
    assert [tick.get_text() for tick in dendrogram(res).get_yticklabels()] == ["a", "b"]


@pytest.mark.parametrize(
    ("res", "message"),
    [
        (
            replace(of(np.eye(2)), cols=("a", "b")),
            r"^distances: `comparison` must be of a set with itself, got 2 rows and 2 other col",
        ),
        (
            of([[0, np.nan], [np.nan, 0]]),
            r"have a value for each pair, got none for seed0 and seed1\. The findings say why\. "
            r"ModelComparison\.without leaves",
        ),
        (of([[0, np.inf], [np.inf, 0]]), "none for seed0 and seed1"),
        (of(np.eye(2), HSIC), r"or of a similarity that is at most 1, got hsic\.$"),
    ],
)
@pytest.mark.parametrize("draw", [distances, embedding, dendrogram])
def test_what_has_no_distances(draw, res, message):
    with pytest.raises(ValueError, match=message):
        draw(res)
    assert plt.get_fignums() == []


# Maps.


@pytest.mark.parametrize("seed", range(4))
def test_points_of_a_plane_keep_their_distances(seed):
    _, known = plane(seed=seed)
    points, share = scaled(known)
    np.testing.assert_allclose(cdist(points, points), known, atol=1e-12)
    np.testing.assert_allclose(points.mean(axis=0), 0, atol=1e-12)
    assert share == pytest.approx(1)
    np.testing.assert_allclose(drawn(embedding(of(known))), points, atol=1e-12)


def test_the_share_is_that_of_the_squared_distances():
    cloud = np.random.default_rng(0).normal(size=(20, 5)) * (5, 3, 2, 1, 0.5)
    known = cdist(cloud, cloud)
    points, share = scaled(known)
    assert share == pytest.approx((cdist(points, points) ** 2).sum() / (known**2).sum())
    assert f"two dimensions show {100 * share:.0f} % of the squared" in " ".join(
        embedding(of(known)).get_title(loc="left").split()
    )


def test_distances_of_no_space_have_a_share_below_one():
    # Three pairwise at 2, and one at 1 from each of them: no such points exist.
    known = np.array([[0, 2, 2, 1], [2, 0, 2, 1], [2, 2, 0, 1], [1, 1, 1, 0.0]])
    points, share = scaled(known)
    assert np.isfinite(points).all()
    assert 0 < share < 1


@pytest.mark.parametrize("seed", range(4))
def test_the_map_does_not_depend_on_the_order_of_the_models(seed):
    _, known = plane(seed=seed)
    order = np.random.default_rng(seed).permutation(len(known))
    points = scaled(known)[0]
    np.testing.assert_allclose(scaled(known[np.ix_(order, order)])[0], points[order], atol=1e-12)
    np.testing.assert_array_equal(scaled(known)[0], points)


def test_signs_do_not_depend_on_rounding():
    known = plane(2)[1]
    for scale in 1 + np.arange(-3, 4) * 1e-15:
        points = scaled(known * scale)[0]
        assert points[0, 0] > 0 > points[1, 0]
    farthest = scaled(plane(seed=3)[1])[0]
    reach = np.abs(farthest).argmax(axis=0)
    assert (farthest[reach, [0, 1]] > 0).all()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_models(n):
    ax = embedding(of(plane(n)[1]))
    _, found = boxes(ax)
    assert len(found) == n
    np.testing.assert_allclose(cdist(drawn(ax), drawn(ax)), plane(n)[1], atol=1e-12)


@pytest.mark.parametrize("scale", [CKA, ANGLE], ids=lambda each: each.label)
def test_identical_models_lie_on_one_point(scale):
    values = np.zeros((5, 5)) if scale is ANGLE else np.full((5, 5), 1 - 1e-16)
    ax = embedding(of(values, scale))
    # What rounding leaves is not blown up.
    assert np.ptp(drawn(ax)) < 0.05 * np.ptp(ax.get_xlim())
    frame, found = boxes(ax)
    assert not any(one.overlaps(other) for one, other in pairs(found))
    assert all(inside(frame, each) for each in found)


def pairs(items):
    return [(items[i], items[j]) for i in range(len(items)) for j in range(i)]


def inside(frame, box):
    return frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1


@pytest.mark.parametrize("size", [(5.6, 5.0), (3.2, 3.0), (9.0, 3.0)], ids=str)
@pytest.mark.parametrize("name", ["seed{}", "resnet50-imagenet-lr0.1-seed{}", "x" * 80 + "{}"])
@pytest.mark.parametrize("n", [2, 12, 25])
def test_names_never_leave_the_picture(n, name, size):
    _, ax = plt.subplots(figsize=size, layout="constrained")
    groups = {name.format(k): f"group {k % 3}" for k in range(n)}
    embedding(of(plane(n, stretch=(2, 1))[1], names=groups), ax, groups=groups)
    frame, found = boxes(ax)
    assert len(found) == n
    assert all(inside(frame, each) for each in found)


def test_names_of_a_crowd_do_not_cover_each_other():
    points = np.random.default_rng(0).normal(size=(25, 2)) * (3, 2)
    points[10:20] = points[0] + 0.05 * points[10:20]
    ax = embedding(of(cdist(points, points)))
    _, found = boxes(ax)
    assert not any(one.overlaps(other) for one, other in pairs(found))
    # Where a name is away from its point, a line leads there.
    far = [each for each in names(ax) if abs(each.get_position()[1]) > 1.5 * beside.LINE]
    lines = [each for each in ax.texts if not each.get_text()]
    assert len(lines) == len(far) > 0


@pytest.mark.parametrize(
    ("x", "align"), [(100.0, "left"), (10.0, "left"), (150.0, "right"), (190.0, "right")]
)
def test_a_name_alone_stands_right_of_its_point_or_left_if_there_is_no_room(x, align):
    (place,) = beside.places(np.array([[x, 50.0]]), [60.0], (0, 0, 200, 100))
    assert (place.align, place.y, place.line) == (align, 0.0, False)


def test_where_names_cannot_but_lie_on_each_other_they_stay_inside():
    frame = (0, 0, 60, 30)
    points = np.full((12, 2), 15.0)
    for place in beside.places(points, [27.0] * 12, frame):
        left = 15 + place.x - {"left": 0, "center": 13.5, "right": 27}[place.align]
        assert left >= 0
        assert left + 27 <= 60
        assert beside.LINE / 2 <= 15 + place.y <= 30 - beside.LINE / 2


def test_too_many_names_are_left_out_unless_asked_for():
    many = of(plane(41)[1])
    assert names(embedding(many)) == []
    assert len(names(embedding(many, names=True))) == 41
    assert names(embedding(of(plane(5)[1]), names=False)) == []


@pytest.mark.filterwarnings("ignore:Glyph")
def test_hostile_names():
    known = plane(len(HOSTILE))[1]
    groups = dict(zip(HOSTILE, HOSTILE[::-1], strict=True))
    shown = ["two\\nlines" if each == "two\nlines" else each for each in HOSTILE]
    shown[shown.index("\x1b[31mred")] = r"\x1b[31mred"
    ax = embedding(of(known, names=HOSTILE), groups=groups)
    boxes(ax)
    assert [each.get_text() for each in names(ax)] == shown
    assert [each.get_text() for each in ax.get_legend().get_texts()] == shown[::-1]
    tree = dendrogram(of(known, names=HOSTILE), groups=groups)
    tree.figure.canvas.draw()
    assert sorted(tick.get_text() for tick in tree.get_yticklabels()) == sorted(shown)
    texts = [*names(ax), *ax.get_legend().get_texts(), *tree.get_yticklabels()]
    assert not any(each.get_parse_math() or each.get_usetex() for each in texts)


def test_groups_have_colours_and_a_key():
    groups = {f"seed{k}": f"group{k % 8}" for k in range(16)}
    ax = embedding(of(plane(16)[1]), groups=groups)
    looks = {
        (tuple(each.get_facecolor()[0]), each.get_paths()[0].vertices.shape)
        for each in ax.collections
    }
    assert len(looks) == 8
    key = [each.get_text() for each in ax.get_legend().get_texts()]
    assert key == [f"group{k}" for k in range(8)]
    assert embedding(of(plane(3)[1])).get_legend() is None


@pytest.mark.parametrize("draw", [embedding, dendrogram])
def test_each_model_has_a_group(draw):
    with pytest.raises(ValueError, match=r"`groups` must name a group for each row, got none for"):
        draw(of(plane(3)[1]), groups={"seed0": "x"})


def test_a_length_on_the_map_is_told():
    ax = embedding(of(plane(9, stretch=(30, 10))[1]))
    (bar,) = [each for each in ax.artists if hasattr(each, "size_bar")]
    (label,) = bar.txt_label.get_children()
    length = float(label.get_text().removeprefix("distance "))
    assert length in {k * 10.0**p for k in (1, 2, 5) for p in range(-2, 3)}
    assert 0.1 < length / np.ptp(ax.get_xlim()) <= 0.31
    (line,) = bar.size_bar.get_children()
    assert line.get_width() == length
    assert not any(hasattr(each, "size_bar") for each in embedding(of(np.zeros((3, 3)))).artists)


def test_a_unit_is_as_long_upwards_as_across():
    ax = embedding(of(plane()[1]))
    ax.figure.canvas.draw()
    box = ax.get_window_extent()
    across, upwards = box.width / np.ptp(ax.get_xlim()), box.height / np.ptp(ax.get_ylim())
    assert across == pytest.approx(upwards)


@pytest.mark.parametrize("draw", [embedding, dendrogram])
def test_axes_in_axes_out(draw):
    _, ax = plt.subplots()
    assert draw(of(plane()[1]), ax, title="A title of mine") is ax
    assert ax.get_title(loc="left") == "A title of mine"
    assert len(plt.get_fignums()) == 1


# Trees.


def joins(ax):
    """The heights of the joins, and the places of what they join."""
    return sorted(float(max(line.get_xdata())) for line in ax.lines)


@pytest.mark.parametrize("method", ["average", "single", "complete", "weighted"])
def test_a_tree_joins_as_scipy_does(method):
    _, known = plane(12)
    tree = hierarchy.linkage(squareform(known, checks=False), method)
    ax = dendrogram(of(known), method=method)
    np.testing.assert_allclose(joins(ax), np.sort(tree[:, 2]))
    assert (method in ax.get_title(loc="left")) is True
    # Leaf k lies at height k, and its branch ends at the distance 0 there.
    ends = sorted(
        float(y)
        for line in ax.lines
        for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)
        if x == 0
    )
    assert ends == list(range(12))


def test_leaves_that_are_joined_lie_together():
    known = squareform([1, 5, 6, 5.5, 6.5, 2.0])  # 0 with 1, then 2 with 3, then both
    ax = dendrogram(of(known, names="abcd"))
    leaves = "".join(tick.get_text() for tick in ax.get_yticklabels())
    assert {frozenset(leaves[:2]), frozenset(leaves[2:])} == {frozenset("ab"), frozenset("cd")}
    assert joins(ax) == [1, 2, pytest.approx(23 / 4)]


def test_zero_is_on_the_right_beside_the_names():
    ax = dendrogram(of(plane()[1]))
    left, right = ax.get_xlim()
    assert right == 0
    assert left > plane()[1].max() / 2
    assert ax.get_ylim() == (-0.6, 8.6)


@pytest.mark.parametrize("values", [[[0.0]], [[0.0, 1.0], [1.0, 0.0]], np.zeros((4, 4))], ids=len)
def test_trees_of_few_models_and_of_identical_ones(values):
    ax = dendrogram(of(values))
    ax.figure.canvas.draw()
    assert len(ax.get_yticklabels()) == len(values)
    assert len(ax.lines) == len(values) - 1
    assert ax.get_xlim() == (1.05 if np.max(values) else 1.0, 0.0)


def test_leaves_are_marked_as_on_the_map():
    groups = {f"seed{k}": "even" if k % 2 == 0 else "odd" for k in range(6)}
    res = of(plane(6)[1])
    on_map = {
        each.get_text(): tuple(colour)
        for each, colour in zip(
            embedding(res, groups=groups).get_legend().get_texts(),
            [each.get_facecolor()[0] for each in plt.gca().collections],
            strict=True,
        )
    }
    tree = dendrogram(res, groups=groups)
    leaves = [tick.get_text() for tick in tree.get_yticklabels()]
    for k, leaf in enumerate(tree.collections):
        np.testing.assert_array_equal(leaf.get_offsets(), [[0, k]])
        assert tuple(leaf.get_facecolor()[0]) == on_map[groups[leaves[k]]]


def test_names_of_many_leaves_do_not_overlap():
    ax = dendrogram(of(plane(60)[1]))
    ax.figure.canvas.draw()
    found = [tick.get_window_extent() for tick in ax.get_yticklabels()]
    assert not any(one.overlaps(other) for one, other in pairwise(found))


def test_an_unknown_method():
    with pytest.raises(ValueError, match=r"`method` must be one of 'average', .*, got 'ward'"):
        dendrogram(of(plane()[1]), method="ward")
