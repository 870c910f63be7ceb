"""The picture of the report says what `visavis.plot.heatmap` says."""

from collections.abc import Callable
from math import nan
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

from visavis.plot import heatmap
from visavis.report.picture import MOST_CELLS, picture
from visavis.results import Comparison

mpl.use("Agg")
Make = Callable[..., Comparison]
MEASURES = ["cka", "procrustes", "hsic"]


@pytest.mark.parametrize("measure", MEASURES)
def test_cells_have_the_colours_and_numbers_of_the_heatmap(make: Make, measure: str) -> None:
    comparison = make(5, 4, measure)
    ax = heatmap(comparison)
    [image] = ax.images
    drawn = picture(comparison)

    assert [cell.fill for cell in drawn.cells] == [
        to_hex(colour) for colour in image.to_rgba(comparison.values).reshape(-1, 4)
    ]
    assert [cell.text for cell in drawn.cells] == [text.get_text() for text in ax.texts]
    assert [cell.ink for cell in drawn.cells] == [to_hex(text.get_color()) for text in ax.texts]
    plt.close(ax.figure)


@pytest.mark.parametrize("measure", MEASURES)
def test_marks_lie_where_those_of_the_heatmap_lie(make: Make, measure: str) -> None:
    comparison = make(5, 4, measure, values=np.random.default_rng(3).random((5, 4)))
    ax = heatmap(comparison)
    rings = [patch.get_center() for patch in ax.patches if patch.get_gid() == "match"]
    drawn = picture(comparison)
    # From the top left corner in pixels to layers from the bottom.
    marks = [(m.x / drawn.cell, 4 - m.y / drawn.cell) for m in drawn.marks]

    np.testing.assert_allclose(marks, rings, atol=1e-9)
    plt.close(ax.figure)


def test_the_first_row_is_at_the_bottom(make: Make) -> None:
    drawn = picture(make(3, 2))

    assert [cell.y for cell in drawn.cells[::2]] == [2 * drawn.cell, drawn.cell, 0.0]
    assert [label.full for label in sorted(drawn.rows, key=lambda each: -each.at)] == [
        "conv0", "conv1", "conv2",
    ]  # fmt: skip


def test_a_cell_tells_its_layers_value_and_chance(make: Make) -> None:
    comparison = make(1, 2, values=np.array([[0.12345, nan]]), chance=np.array([[0.5, nan]]))

    assert [cell.tip for cell in picture(comparison).cells] == [
        "conv0 × conv0: 0.123 (chance 0.500)",
        "conv0 × conv1: no value",
    ]


@pytest.mark.parametrize(("measure", "falling"), [("cka", True), ("procrustes", False)])
def test_the_alike_end_of_the_scale_is_up(make: Make, measure: str, falling: bool) -> None:
    drawn = picture(make(measure=measure))
    downwards = [float(text) for _, text in sorted(drawn.bar_ticks)]

    assert downwards == sorted(downwards, reverse=falling)


def test_chance_lies_on_the_scale_between_its_ticks(make: Make) -> None:
    drawn = picture(make(2, 2, "cka(estimator=biased)", chance=np.full((2, 2), 0.5)))
    at = {text: place for place, text in drawn.bar_ticks}

    [line] = drawn.chance
    assert at["0.60"] < line < at["0.40"]


@pytest.mark.parametrize("measure", MEASURES)
def test_the_scale_has_the_colours_of_the_heatmap_from_the_alike_end(
    make: Make, measure: str
) -> None:
    ax = heatmap(make(measure=measure))
    [image] = ax.images
    ends = sorted(image.get_clim(), reverse=measure != "procrustes")
    stops = picture(make(measure=measure)).stops

    assert [stops[0], stops[-1]] == [
        (0.0, to_hex(image.to_rgba(ends[0]))),
        (1.0, to_hex(image.to_rgba(ends[1]))),
    ]
    plt.close(ax.figure)


@pytest.mark.parametrize("layers", [1, 12, 13, 48, 60, 400])
def test_a_picture_of_any_size_fits_a_page_and_holds_its_labels(make: Make, layers: int) -> None:
    names = tuple(f"model.encoder.layers.{i}.attention" for i in range(layers))
    drawn = picture(make(layers, layers, rows=names, cols=names))

    assert drawn.width < 1000
    assert drawn.left + drawn.grid_width < drawn.bar[0]
    assert drawn.top + drawn.grid_height < drawn.height
    assert len(drawn.rows) <= 40


def test_very_many_cells_become_one_image(make: Make) -> None:
    side = int(MOST_CELLS**0.5) + 1
    values = make(side, side).values.copy()
    values[0] = nan
    drawn = picture(make(side, side, values=values))

    assert drawn.cells == ()
    assert drawn.image.startswith("data:image/png;base64,")
    assert drawn.missing
    assert len(drawn.marks) == side - 1


def test_the_image_has_one_pixel_per_cell_and_none_for_missing(make: Make) -> None:
    side = int(MOST_CELLS**0.5) + 1
    values = make(side, side).values.copy()
    values[0, 0] = nan
    pixels = plt.imread(_file(picture(make(side, side, values=values)).image))

    assert pixels.shape == (side, side, 4)
    assert pixels[-1, 0, 3] == 0
    assert (pixels[:, :, 3] == 1).sum() == side * side - 1


def _file(uri: str) -> Any:
    from base64 import b64decode
    from io import BytesIO

    return BytesIO(b64decode(uri.partition(",")[2]))
