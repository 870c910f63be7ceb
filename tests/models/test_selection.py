"""Which layers names, patterns and predicates select, and what unknown ones are told."""

import pytest
from tests.models.nets import Backwards, ConvNet, Recurrent, Twice, samples, seeded
from torch import nn

from visavis._core.errors import LayerNotFoundError
from visavis.models import extract

IMAGES = samples(4, 3, 7, 7)


def _named(value: object) -> str:
    # The text of a function holds its address, which differs between workers.
    return getattr(value, "__name__", str(value))


@pytest.mark.parametrize(
    ("layers", "found"),
    [
        ("head", ["head"]),
        ("block*.1", ["block1.1", "block2.1"]),
        ("*2*", ["block1.2", "block2.0", "block2.1", "block2.2", "block2"]),
        ("block[12]", ["block1", "block2"]),
        ("block?.[!0]", ["block1.1", "block1.2", "block2.1", "block2.2"]),
        (["head", "block1"], ["block1", "head"]),
        (("block1", "block1*"), ["block1.0", "block1.1", "block1.2", "block1"]),
        (["block1*", "!block1"], ["block1.0", "block1.1", "block1.2"]),
        (["!block1*", "!block2*"], ["head"]),
        (lambda name, module: isinstance(module, nn.Conv2d), ["block1.0", "block2.0"]),
        (lambda name, module: name.endswith("d"), ["head"]),
    ],
    ids=_named,
)
def test_selects(layers, found):
    assert list(extract(seeded(ConvNet), IMAGES, layers)) == found


def test_star_is_every_module_but_the_model_itself():
    model = seeded(ConvNet)
    assert set(extract(model, IMAGES)) == {name for name, _ in model.named_modules()} - {""}


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ("blokc1", "one of the 9 modules, got 'blokc1'. Nearest: 'block1'"),
        ("zzz*", "one of the 9 modules, got 'zzz.'. There are: 'block1', .* and 4 more"),
        (["head", "Head"], "got 'Head'. Nearest: 'head'"),
        (["*", "!blokc2"], "got 'blokc2'. Nearest: 'block2'"),
        (["head", "!head"], "select at least one module, got head, !head, which selects none of 9"),
        (lambda name, module: False, "select at least one module, got .*lambda.*none of 9"),
        ("head[0]", r"one of the 1 outputs, got 'head\[0\]'. Nearest: 'head'"),
        ("head#2", "one of the 1 outputs, got 'head#2'"),
        (["*", "!head#2"], "one of the 9 outputs, got 'head#2'"),
    ],
    ids=_named,
)
def test_unknown_layer(layers, message):
    with pytest.raises(LayerNotFoundError, match=message):
        extract(seeded(ConvNet), IMAGES, layers)


def test_containers_that_never_run_are_no_layers():
    acts = extract(seeded(Backwards), samples(4, 3))
    assert not acts.findings
    with pytest.raises(LayerNotFoundError, match=r"one of the 4 modules, got 'block'"):
        extract(seeded(Backwards), samples(4, 3), "block")


def test_model_of_a_single_layer():
    with pytest.raises(LayerNotFoundError, match=r"wrap it, nn.Sequential\(model\)"):
        extract(seeded(nn.Linear, 3, 2), samples(4, 3))


@pytest.mark.parametrize(
    ("layers", "error", "message"),
    [
        ([], ValueError, "`layers` must name at least one layer, got none"),
        ([3], TypeError, "`layers` must be a name, a pattern, .* got a sequence with int"),
    ],
    ids=_named,
)
def test_not_a_selection(layers, error, message):
    with pytest.raises(error, match=message):
        extract(seeded(ConvNet), IMAGES, layers)


@pytest.mark.parametrize(
    ("layers", "found"),
    [
        ("lstm[0]", ["lstm[0]"]),
        (["head", "lstm[0]"], ["lstm[0]", "head"]),
        (["*", "!lstm[1][0]", "!lstm[1][1]"], ["lstm[0]", "head"]),
    ],
    ids=_named,
)
def test_single_outputs(layers, found):
    assert list(extract(seeded(Recurrent), samples(5, 6, 3), layers)) == found


@pytest.mark.parametrize(
    ("layers", "found"),
    [("relu#2", ["relu#2"]), (["relu", "!relu#2"], ["relu"]), ("relu", ["relu", "relu#2"])],
    ids=_named,
)
def test_single_calls(layers, found):
    assert list(extract(seeded(Twice), samples(5, 3), layers)) == found


class Tied(nn.Module):
    """One module under two names."""

    def __init__(self):
        super().__init__()
        self.a = nn.Linear(3, 3)
        self.nest = nn.ModuleDict({"b": self.a})
        self.c = nn.Linear(3, 3)

    def forward(self, x):
        return self.c(self.nest["b"](self.a(x)))


@pytest.mark.parametrize(
    ("layers", "found"),
    [
        ("*", ["a", "a#2", "c"]),
        ("nest.b", ["nest.b", "nest.b#2"]),
        (["nest.b", "a"], ["a", "a#2"]),
        (["*", "!nest.b"], ["c"]),
        ("nest.b#2", ["nest.b#2"]),
        (["a#2", "nest.b"], ["a", "a#2"]),
    ],
    ids=_named,
)
def test_module_under_two_names_is_one_layer(layers, found):
    assert list(extract(seeded(Tied), samples(4, 3), layers)) == found
