"""Layer names: printable, short, different where the names are, few enough."""

import pytest

from visavis.plot import labels


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("layer1.0.conv2", "layer1.0.conv2"),
        ("слой.層", "слой.層"),
        ("$x_1$", "$x_1$"),
        ("a\nb\tc", r"a\nb\tc"),
        ("bell\x07", r"bell\x07"),
        ("reversed\u202e", r"reversed\u202e"),
        ("half\ud800", r"half\ud800"),
        ("line\u2028", r"line\u2028"),
    ],
)
def test_what_would_not_show_is_written_as_an_escape(name: str, expected: str) -> None:
    assert labels.printable(name) == expected


@pytest.mark.parametrize(
    ("name", "limit", "expected"),
    [
        ("conv1", 10, "conv1"),
        ("encoder.layers.3.attn", 16, "encoder…3.attn"),
        ("encoder.layers.3.attn", 13, "encoder…attn"),
        ("x" * 30 + "y" * 30, 10, "xxx…yyyyyy"),
        ("head." + "z" * 30, 10, "hea…zzzzzz"),
        ("", 10, ""),
    ],
)
def test_the_middle_is_left_out_at_dots_where_there_are_any(
    name: str, limit: int, expected: str
) -> None:
    assert labels.shorten(name, limit) == expected


@pytest.mark.parametrize("limit", range(5, 60))
def test_a_shortened_name_keeps_to_the_limit(limit: int) -> None:
    assert len(labels.shorten("model.encoder.layers.11.attention.output.dense", limit)) <= limit


def test_layers_that_differ_in_the_middle_keep_different_labels() -> None:
    names = [f"model.encoder.layers.{i}.self_attn.q_proj.lora" for i in range(24)]

    assert len(set(labels.short(names))) == len(names)


def test_labels_are_no_longer_than_it_takes_to_tell_them_apart() -> None:
    names = ["model.encoder.attention.query.weight", "model.encoder.attention.keys.weight"]

    assert max(map(len, labels.short(names))) <= labels.SHORT


@pytest.mark.parametrize(("text", "columns"), [("conv1", 5), ("層.1", 4), ("", 0)])
def test_east_asian_characters_are_two_columns_wide(text: str, columns: int) -> None:
    assert labels.columns(text) == columns


@pytest.mark.parametrize(
    ("count", "room", "step"),
    [
        (1, 10, 1),
        (40, 100, 1),
        (41, 100, 2),
        (60, 100, 2),
        (200, 100, 5),
        (1000, 100, 50),
        (12, 5, 5),
        (12, 0.2, 20),
    ],
)
def test_every_kth_layer_is_named_where_there_is_no_room_for_all(
    count: int, room: float, step: int
) -> None:
    assert labels.ticks(count, room) == range(0, count, step)
