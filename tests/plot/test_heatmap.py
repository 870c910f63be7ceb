"""The heatmap, by its artists and their data."""

import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from itertools import pairwise
from math import nan

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from visavis.plot import heatmap, labels
from visavis.results import Comparison, ComparisonSet

Make = Callable[..., Comparison]
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "$x_1$",
    r"$\frac{$ \nonsense",
    "under_score^hat%",
    "two\nlines",
    "слой.ώ",
    "層.一",
    "a.very.long.name." * 20,
)


def drawn(ax: plt.Axes) -> bytes:
    file = BytesIO()
    ax.figure.savefig(file, format="png")
    return file.getvalue()


def texts(names: list) -> list[str]:
    return [name.get_text() for name in names]


def key(ax: plt.Axes) -> list[str]:
    return texts(ax.get_legend().get_texts()) if ax.get_legend() else []


def colour_bar(ax: plt.Axes) -> plt.Axes:
    [bar] = ax.child_axes
    return bar


def test_the_image_holds_the_values_with_the_first_row_at_the_bottom(make: Make) -> None:
    comparison = make(3, 5)
    ax = heatmap(comparison)
    [image] = ax.images

    np.testing.assert_array_equal(image.get_array(), comparison.values)
    assert image.origin == "lower"
    assert ax.get_ylim() == (-0.5, 2.5)
    assert ax.get_xlim() == (-0.5, 4.5)


def test_axes_name_layers_in_order_and_sides(make: Make) -> None:
    ax = heatmap(make(3, 2, rows=("in", "mid", "out"), cols=("first", "last")))

    assert texts(ax.get_yticklabels()) == ["in", "mid", "out"]
    assert texts(ax.get_xticklabels()) == ["first", "last"]
    assert (ax.get_yticks().tolist(), ax.get_xticks().tolist()) == ([0, 1, 2], [0, 1])
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("seed0", "seed1")


@pytest.mark.parametrize(
    ("measure", "limits", "cmap"),
    [
        ("cka", (0, 1), "magma"),
        ("procrustes", (0, np.pi / 2), "magma_r"),
        ("hsic", (0, 0.93), "magma"),
    ],
)
def test_colours_follow_the_measure(
    make: Make, measure: str, limits: tuple[float, float], cmap: str
) -> None:
    [image] = heatmap(make(measure=measure)).images

    assert image.get_clim() == pytest.approx(limits)
    assert image.get_cmap().name == cmap


@pytest.mark.parametrize("measure", ["cka", "procrustes"])
def test_the_alike_end_of_the_colour_bar_is_up(make: Make, measure: str) -> None:
    bottom, top = colour_bar(heatmap(make(measure=measure))).get_ylim()

    assert (top > bottom) == (measure == "cka")


@pytest.mark.parametrize(
    ("size", "annotate", "printed"),
    [(12, "auto", 144), (13, "auto", 0), (13, True, 169), (3, False, 0)],
)
def test_values_are_printed_where_there_is_room_or_on_demand(
    make: Make, size: int, annotate: bool | str, printed: int
) -> None:
    assert len(heatmap(make(size, size), annotate=annotate).texts) == printed


def test_printed_values_are_those_of_their_cells(make: Make) -> None:
    comparison = make(2, 2, values=np.array([[0.914, -0.25], [nan, 0.0]]))
    found = {text.get_position(): text.get_text() for text in heatmap(comparison).texts}

    assert found == {(0, 0): "0.91", (1, 0): "−0.25", (1, 1): "0.00"}


def test_printed_values_are_light_on_dark_and_dark_on_light(make: Make) -> None:
    ax = heatmap(make(1, 2, values=np.array([[0.02, 0.98]])))

    assert [to_hex(text.get_color()) for text in ax.texts] == ["#ffffff", "#000000"]


def test_rings_mark_the_best_match_of_each_row(make: Make) -> None:
    ax = heatmap(make(2, 3, values=np.array([[0.1, 0.9, 0.2], [0.3, 0.2, 0.8]])))
    rings = [patch for patch in ax.patches if patch.get_gid() == "match"]

    assert [patch.get_center().round(6).tolist() for patch in rings] == [[1, 0], [2, 1]]
    assert "best match of each row" in key(ax)


def test_dots_mark_the_best_match_where_no_values_are_printed(make: Make) -> None:
    [dots] = heatmap(make(20, 20)).collections

    np.testing.assert_array_equal(dots.get_offsets(), [[i, i] for i in range(20)])


def test_a_single_column_needs_no_marks(make: Make) -> None:
    ax = heatmap(make(3, 1))

    assert not [patch for patch in ax.patches if patch.get_gid() == "match"]
    assert key(ax) == []


def test_missing_values_show_a_hatched_ground_and_are_explained(make: Make) -> None:
    values = make(3, 3).values.copy()
    values[1] = nan
    ax = heatmap(make(3, 3, values=values))
    [ground] = [patch for patch in ax.patches if patch.get_label() == "no value"]
    [image] = ax.images

    assert isinstance(ground, Rectangle)
    assert ground.get_hatch()
    assert ground.get_bbox().bounds == (-0.5, -0.5, 3, 3)
    assert ground.get_zorder() < image.get_zorder()
    assert image.get_array().mask.tolist() == [[False] * 3, [True] * 3, [False] * 3]
    assert image.cmap(np.ma.masked)[3] == 0
    assert "no value" in key(ax)


def test_a_table_without_any_value_is_drawn(make: Make) -> None:
    ax = heatmap(make(2, 2, values=np.full((2, 2), nan)))

    assert ax.texts[:] == []
    assert drawn(ax)


@pytest.mark.parametrize(
    ("chance", "lines"), [([[0.0, 0.0]], [0.0]), ([[0.2, 0.6]], [0.2, 0.6]), ([[nan, nan]], [])]
)
def test_chance_is_marked_on_the_colour_bar(
    make: Make, chance: list[list[float]], lines: list[float]
) -> None:
    bar = colour_bar(heatmap(make(1, 2, chance=np.array(chance))))

    assert [line.get_ydata()[0] for line in bar.lines if line.get_gid() == "chance"] == lines


def test_the_key_says_the_level_of_chance(make: Make) -> None:
    chance = np.array([[0.2, 0.6]])

    assert "chance 0.20 to 0.60" in key(heatmap(make(1, 2, chance=chance)))
    assert key(heatmap(make(1, 2, chance=chance), chance=False)) == ["best match of each row"]


def test_the_colour_bar_can_be_left_out(make: Make) -> None:
    assert heatmap(make(), colorbar=False).child_axes == []


@pytest.mark.parametrize(("title", "expected"), [(None, "cka"), ("", ""), ("$x_1$\n", r"$x_1$\n")])
def test_the_title_is_the_measure_or_what_is_asked_for(
    make: Make, title: str | None, expected: str
) -> None:
    assert heatmap(make(), title=title).get_title(loc="left") == expected


def test_a_long_title_takes_three_lines_at_most(make: Make) -> None:
    lines = heatmap(make(), title="word " * 200).get_title(loc="left").splitlines()

    assert len(lines) == 3
    assert lines[-1].endswith("…")


@pytest.mark.filterwarnings("ignore:Glyph")  # no font for every script on every machine
@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text_and_nothing_else(make: Make, name: str) -> None:
    ax = heatmap(make(2, 1, rows=(name, "b"), cols=(name,), names=(name, name)), title=name)
    [shown, _] = labels.short([name, "b"])

    assert texts(ax.get_yticklabels()) == [shown, "b"]
    assert texts(ax.get_xticklabels()) == [shown]
    assert not any(label.get_parse_math() for label in ax.get_yticklabels())
    assert "\n" not in shown + ax.get_xlabel()
    assert drawn(ax)


@pytest.mark.parametrize("layers", [1, 9, 13, 41, 60, 200])
def test_names_do_not_overlap_and_stay_in_the_figure(make: Make, layers: int) -> None:
    names = tuple(f"model.encoder.layers.{i}.attention" for i in range(layers))
    ax = heatmap(make(layers, layers, rows=names, cols=names))
    ax.figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
    turned = [label.get_window_extent() for label in ax.get_xticklabels()]

    assert all(below.y1 <= above.y0 for below, above in pairwise(boxes))
    assert min(box.x0 for box in boxes + turned) >= 0
    assert min(box.y0 for box in boxes + turned) >= 0


def test_of_many_layers_every_kth_is_named_by_its_own_name(make: Make) -> None:
    ax = heatmap(make(60, 60))
    ticks = ax.get_yticks().tolist()

    assert ticks[0] == 0
    assert len(ticks) <= labels.MOST_TICKS
    assert len(set(np.diff(ticks))) == 1
    assert texts(ax.get_yticklabels()) == [f"conv{i}" for i in ticks]


def test_one_layer_is_drawn(make: Make) -> None:
    ax = heatmap(make(1, 1))

    assert ax.images[0].get_array().shape == (1, 1)
    assert drawn(ax)


def test_a_ribbon_of_layers_fills_the_axes(make: Make) -> None:
    assert heatmap(make(1, 30)).get_aspect() == "auto"
    assert heatmap(make(3, 4)).get_aspect() == 1


def test_given_axes_come_back_and_no_figure_is_made(make: Make) -> None:
    figure, (left, right) = plt.subplots(1, 2)

    assert heatmap(make(), ax=left) is left
    assert right.images[:] == []
    assert plt.get_fignums() == [figure.number]


def test_nothing_is_shown_and_no_setting_changed(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plt, "show", lambda *_, **__: pytest.fail("plt.show was called"))
    before = dict(mpl.rcParams)
    heatmap(make())

    assert dict(mpl.rcParams) == before
    assert len(plt.get_fignums()) == 1


def test_the_comparison_draws_itself(make: Make) -> None:
    assert make().plot(title="by method").get_title(loc="left") == "by method"


def test_a_set_is_sent_to_grid(make: Make) -> None:
    with pytest.raises(TypeError, match=r"`comparison` must be one Comparison, got ComparisonSet"):
        heatmap(ComparisonSet([make()]))


def test_an_unknown_way_to_annotate_is_refused(make: Make) -> None:
    with pytest.raises(ValueError, match="`annotate` must be True, False or"):
        heatmap(make(), annotate="always")


def test_importing_visavis_imports_no_plotting() -> None:
    program = "import sys, visavis; print({'matplotlib', 'visavis.plot'} & set(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert run.stdout.strip() == "set()"
