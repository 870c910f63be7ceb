"""Small multiples, by their artists and their data."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest

from visavis.plot import grid
from visavis.results import Comparison, ComparisonSet

Make = Callable[..., Comparison]


def named(ax) -> tuple[bool, bool]:
    """Whether the axes show the names of rows and of columns."""
    rows, cols = ax.yaxis.get_tick_params(), ax.xaxis.get_tick_params()
    return rows["labelleft"], cols["labelbottom"]


def test_every_comparison_has_a_panel_in_reading_order(make: Make) -> None:
    panels = [make(measure=measure) for measure in ("cka", "procrustes", "hsic")]
    figure = grid(panels, columns=2)

    assert [ax.get_title(loc="left") for ax in figure.axes] == ["cka", "procrustes", "hsic"]
    for ax, comparison in zip(figure.axes, panels, strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), comparison.values)


def test_a_set_of_measures_is_taken_as_it_is(make: Make) -> None:
    figure = grid(ComparisonSet([make(), make(measure="hsic")]), titles=["A", "$B$"], title="$C$")

    assert [ax.get_title(loc="left") for ax in figure.axes] == ["A", "$B$"]
    assert figure.get_suptitle() == "$C$"
    figure.savefig(BytesIO())


@pytest.mark.parametrize(
    ("count", "shape"),
    [(1, (1, 1)), (2, (1, 2)), (3, (1, 3)), (4, (2, 2)), (5, (2, 3)), (11, (3, 4))],
)
def test_panels_are_laid_out_near_square(make: Make, count: int, shape: tuple[int, int]) -> None:
    gridspec = grid([make(2, 2)] * count).axes[0].get_gridspec()

    assert (gridspec.nrows, gridspec.ncols) == shape


def test_panels_of_the_same_layers_name_them_once(make: Make) -> None:
    figure = grid([make()] * 3, columns=2)

    # The second panel of the first line has no panel below it.
    assert [named(ax) for ax in figure.axes] == [(True, False), (False, True), (True, True)]


def test_panels_of_different_layers_name_their_own(make: Make) -> None:
    figure = grid([make(), make(rows=("a", "b", "c", "d"))], columns=2)

    assert [named(ax) for ax in figure.axes] == [(True, True), (True, True)]


def test_marks_are_explained_once_for_all_panels(make: Make) -> None:
    chance = np.full((4, 4), 0.3)
    figure = grid([make(), make(chance=chance), make(chance=chance / 2)])
    [legend] = figure.legends

    assert [text.get_text() for text in legend.get_texts()] == ["best match of each row", "chance"]
    assert [ax.get_legend() for ax in figure.axes] == [None] * 3


def test_no_panels_are_refused() -> None:
    with pytest.raises(ValueError, match="`comparisons` must hold at least one Comparison"):
        grid([])


def test_strangers_are_refused(make: Make) -> None:
    with pytest.raises(TypeError, match="nothing else, got ndarray"):
        grid([make(), np.zeros((2, 2))])


def test_titles_must_be_as_many_as_panels(make: Make) -> None:
    with pytest.raises(ValueError, match=r"`titles` must have one entry per panel \(1\), got 2"):
        grid([make()], titles=["a", "b"])
