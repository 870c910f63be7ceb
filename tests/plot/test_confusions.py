"""Which layer is taken for which, by the artists and their data."""

from io import BytesIO

import numpy as np
import pytest
from matplotlib import pyplot as plt

from visavis.plot import confusion, confusions

COUNTS = np.array([[6.0, 0, 0], [2, 3, 1], [0, 0.02, 5.98]])
LAYERS = ("conv1", "conv2", "fc")


def printed(ax):
    return {
        (round(t.get_position()[1]), round(t.get_position()[0])): t.get_text() for t in ax.texts
    }


def test_rows_are_shares_of_their_sum() -> None:
    ax = confusion(COUNTS, LAYERS)
    expected = [[100, 0, 0], [100 / 3, 50, 100 / 6], [0, 1 / 3, 299 / 3]]
    np.testing.assert_allclose(ax.images[0].get_array(), expected)
    assert (ax.images[0].norm.vmin, ax.images[0].norm.vmax) == (0, 100)
    assert ax.images[0].origin == "lower"


def test_axes_say_what_was_sought_and_what_was_taken() -> None:
    ax = confusion(COUNTS, LAYERS, title="$x$")
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("layer sought", "layer taken for it")
    assert [label.get_text() for label in ax.get_yticklabels()] == list(LAYERS)
    assert ax.get_title(loc="left") == "$x$"
    ax.figure.savefig(BytesIO())


def test_shares_are_printed_but_for_those_of_nothing() -> None:
    expected = {
        (0, 0): "100",
        (1, 0): "33",
        (1, 1): "50",
        (1, 2): "17",
        (2, 1): "<1",
        (2, 2): "100",
    }
    assert printed(confusion(COUNTS, LAYERS)) == expected
    assert printed(confusion(COUNTS, LAYERS, annotate=False)) == {}


@pytest.mark.parametrize(("size", "annotated"), [(12, True), (13, False)])
def test_many_layers_are_not_annotated(size: int, annotated: bool) -> None:
    names = [f"l{k}" for k in range(size)]
    assert bool(printed(confusion(np.eye(size), names))) == annotated
    assert len(printed(confusion(np.eye(size), names, annotate=True))) == size


def test_a_layer_that_is_taken_for_itself_is_framed() -> None:
    frames = [p for p in confusion(COUNTS, LAYERS).patches if p.get_gid() == "itself"]
    assert [frame.get_xy() for frame in frames] == [(k - 0.5, k - 0.5) for k in range(3)]


def test_a_row_without_trials_is_hatched() -> None:
    counts = COUNTS.copy()
    counts[1] = 0
    ax = confusion(counts, LAYERS)
    assert [patch.get_hatch() for patch in ax.patches if patch.get_label() == "no trial"] == [
        "////"
    ]
    assert ax.images[0].get_array().mask[1].all()
    assert not any(row == 1 for row, _ in printed(ax))
    [key] = confusions([COUNTS, counts], LAYERS, titles="ab").legends
    assert [text.get_text() for text in key.get_texts()] == ["no trial"]
    assert confusions([COUNTS], LAYERS, titles="a").legends == []


def test_it_is_drawn_where_it_is_asked_to() -> None:
    figure, ax = plt.subplots()
    assert confusion(COUNTS, LAYERS, ax, colorbar=False) is ax
    assert figure.axes == [ax]
    assert ax.child_axes == []
    assert len(confusion(COUNTS, LAYERS).child_axes) == 1


def test_panels_are_on_one_scale_and_name_layers_once() -> None:
    figure = confusions([COUNTS] * 5, LAYERS, titles=list("abcde"), title="$all$")
    panels = [ax for ax in figure.axes if ax.get_title(loc="left")]
    assert [ax.get_title(loc="left") for ax in panels] == list("abcde")
    assert len(figure.axes) == 6  # and the scale
    left = [ax.yaxis.get_tick_params()["labelleft"] for ax in panels]
    below = [ax.xaxis.get_tick_params()["labelbottom"] for ax in panels]
    assert left == [True, False, False, True, False]
    assert below == [False, False, True, True, True]
    assert figure.get_suptitle() == "$all$"
    figure.savefig(BytesIO())


@pytest.mark.parametrize(
    ("count", "columns", "shape"),
    [(1, None, (1, 1)), (3, None, (1, 3)), (4, None, (2, 2)), (12, None, (3, 4)), (4, 1, (4, 1))],
)
def test_panels_are_laid_out_near_square(count: int, columns: int | None, shape) -> None:
    titles = [f"t{k}" for k in range(count)]
    figure = confusions([COUNTS] * count, LAYERS, titles=titles, columns=columns)
    grid = figure.axes[0].get_gridspec()
    assert (grid.nrows, grid.ncols) == shape


@pytest.mark.parametrize("name", ["$x_1$", "a" * 90, "<b>\n"])
def test_names_are_shown_as_they_are_and_fit(name: str) -> None:
    ax = confusion(np.eye(2), [name, "b"], title=name)
    ax.figure.savefig(BytesIO())


@pytest.mark.parametrize(
    ("counts", "match"),
    [
        (np.eye(2), r"have a row and a column for each of 3 layers, got shape \(2, 2\)"),
        (-np.eye(3), r"count: finite and not negative"),
        (np.full((3, 3), np.nan), r"count: finite and not negative"),
        (np.full((3, 3), np.inf), r"count: finite and not negative"),
    ],
)
def test_counts_that_are_refused(counts, match) -> None:
    with pytest.raises(ValueError, match=match):
        confusion(counts, LAYERS)


@pytest.mark.parametrize("titles", [[], ["a", "b"]])
def test_each_panel_has_a_title(titles) -> None:
    with pytest.raises(ValueError, match="hold a table for each title, and one at least"):
        confusions([COUNTS][: len(titles)], LAYERS, titles=titles)
