"""Flax NNX modules: what is recorded, under which names, and that they stay as they were."""

import copy
from contextlib import nullcontext

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx

from visavis._core.errors import LayerNotFoundError
from visavis.models import extract, layers

X = np.random.default_rng(0).normal(size=(7, 3)).astype("float32")


class Net(nnx.Module):
    """A net with everything that behaves differently in training."""

    def __init__(self, seed=0):
        rngs = nnx.Rngs(seed)
        self.stem = nnx.Linear(3, 8, rngs=rngs)
        self.norm = nnx.BatchNorm(8, rngs=rngs)
        self.drop = nnx.Dropout(0.5, rngs=rngs)
        self.blocks = nnx.List([nnx.Linear(8, 8, rngs=rngs) for _ in range(2)])
        self.head = nnx.Linear(8, 2, rngs=rngs)

    def __call__(self, x):
        x = nnx.relu(self.drop(self.norm(self.stem(x))))
        for block in self.blocks:
            x = block(x)
        return self.head(x)


@nnx.jit
def step(model, x, y):
    grads = nnx.grad(lambda model: ((model(x) - y) ** 2).mean())(model)
    weights = nnx.state(model, nnx.Param)
    nnx.update(model, jax.tree.map(lambda w, g: w - 0.05 * g, weights, grads))


@pytest.fixture(scope="module")
def trained():
    """Return a net after a few steps, still in training mode."""
    model, rng = Net(), np.random.default_rng(1)
    x = rng.normal(1, 2, size=(32, 3)).astype("float32")
    for _ in range(5):
        step(model, x, x[:, :2])
    return model


def dense(layer, x):
    return x @ np.asarray(layer.kernel[...]) + np.asarray(layer.bias[...])


def by_hand(model, x):
    """Return the layers of `Net` in evaluation mode, computed in NumPy."""
    mean, var, scale, bias = (
        np.asarray(each[...])
        for each in (model.norm.mean, model.norm.var, model.norm.scale, model.norm.bias)
    )
    stem = dense(model.stem, x)
    norm = (stem - mean) / np.sqrt(var + model.norm.epsilon) * scale + bias
    first = dense(model.blocks[0], np.maximum(norm, 0))
    second = dense(model.blocks[1], first)
    return {
        "stem": stem,
        "norm": norm,
        "drop": norm,
        "blocks.0": first,
        "blocks.1": second,
        "head": dense(model.head, second),
    }


def state(model):
    """Return every attribute and every value of a model."""
    return [
        (path, np.asarray(node[...]) if isinstance(node, nnx.Variable) else repr(node))
        for path, node in nnx.iter_graph(model)
        if not isinstance(node, nnx.Variable) or not jnp.issubdtype(node.dtype, jax.dtypes.prng_key)
    ]


def same(one, other):
    return len(one) == len(other) and all(
        p == q and np.array_equal(a, b) for (p, a), (q, b) in zip(one, other, strict=True)
    )


@pytest.mark.parametrize("sizes", [[7], [4, 3], [6, 1]], ids=str)
def test_values_are_those_of_the_layers_in_evaluation_mode(trained, sizes):
    expected = by_hand(trained, X)
    acts = extract(trained, np.split(X, np.cumsum(sizes)[:-1]))
    assert list(acts) == list(expected)
    assert all(isinstance(each, jax.Array) for each in acts.values())
    np.testing.assert_allclose(
        np.concatenate(list(acts.values()), axis=1),
        np.concatenate(list(expected.values()), axis=1),
        atol=1e-5,
    )


def test_norm_has_learned_statistics(trained):
    assert np.abs(np.asarray(trained.norm.mean[...])).max() > 0.01


def test_model_is_left_as_it_was(trained):
    before, call = state(trained), nnx.Linear.__call__
    extract(trained, [X, X])
    assert same(state(trained), before)
    assert nnx.Linear.__call__ is call
    assert "__call__" in vars(nnx.Linear)
    assert not trained.drop.deterministic


def test_training_mode_is_reported(trained):
    (finding,) = extract(trained, X).findings
    assert finding.code == "VV013"
    assert "on for 2 of 8 modules" in finding.message


def test_evaluation_mode_is_not_reported(trained):
    model = copy.deepcopy(trained)
    model.eval()
    assert extract(model, X).findings == ()


class Sowing(nnx.Module):
    """Counts its calls, sows, draws random numbers, and raises where it is told to."""

    def __init__(self, error=None):
        self.rngs = nnx.Rngs(0)
        self.body = nnx.Linear(3, 3, rngs=self.rngs)
        self.calls = nnx.Variable(jnp.array(0))
        self.error = error

    def __call__(self, x):
        self.calls[...] += 1
        self.last = "set in a call"
        self.body.seen = nnx.Intermediate(self.rngs.params())
        x = self.body(x)
        if self.error is not None:
            raise self.error
        return x


@pytest.mark.parametrize("error", [None, RuntimeError("no memory"), KeyboardInterrupt()])
def test_state_that_a_call_changes_is_set_back(error):
    model = Sowing(error)
    before = state(model)
    with nullcontext() if error is None else pytest.raises(type(error)):
        extract(model, [X, X])
    assert same(state(model), before)
    assert int(model.calls[...]) == 0
    assert model.body.__call__.__func__ is nnx.Linear.__call__
    assert not jax.config.jax_disable_jit


def test_exception_in_the_model_says_what_was_run():
    with pytest.raises(TypeError) as caught:
        extract(Net(), X[:, :2])
    assert caught.value.__notes__[-1] == "extract: Net was run on (7, 2) float32; see `inputs`."


class Twice(nnx.Module):
    """One layer that runs twice under two names, and one that never runs."""

    def __init__(self):
        self.second = nnx.Linear(3, 3, rngs=nnx.Rngs(0))
        self.again = self.second
        self.unused = nnx.Linear(3, 3, rngs=nnx.Rngs(1))

    def __call__(self, x):
        return self.again(nnx.relu(self.second(x)))


def test_each_call_of_a_shared_module_is_a_layer_under_its_first_name():
    model = Twice()
    acts = extract(model, [X[:4], X[4:]])
    assert list(acts) == ["again", "again#2"]
    first = dense(model.second, X)
    np.testing.assert_allclose(acts["again"], first, atol=1e-5)
    np.testing.assert_allclose(
        acts["again#2"], dense(model.second, np.maximum(first, 0)), atol=1e-5
    )


def test_module_that_never_runs_is_reported():
    (finding,) = extract(Twice(), X).findings
    assert (finding.code, finding.layers) == ("VV006", ("unused",))


def test_name_that_was_selected():
    assert list(extract(Twice(), X, "second")) == ["second", "second#2"]


class Nested(nnx.Module):
    """Gives a dict of a tuple, with integers in it; a dict and a tuple hold its modules."""

    class Inner(nnx.Module):
        def __call__(self, x):
            return {"pair": (x + 1, x + 2), "top": x.argmax(1)}

    def __init__(self):
        self.parts = nnx.Dict(inner=Nested.Inner())

    def __call__(self, x):
        return self.parts["inner"](x)["pair"][0]


@pytest.mark.parametrize(
    ("selected", "names"),
    [
        ("*", ["parts.inner[pair][0]", "parts.inner[pair][1]"]),
        ("parts.inner[pair][1]", ["parts.inner[pair][1]"]),
    ],
)
def test_nested_outputs(selected, names):
    acts = extract(Nested(), X, selected)
    assert list(acts) == names
    np.testing.assert_allclose(acts["parts.inner[pair][1]"], X + 2, atol=1e-6)


class Loud(nnx.Linear):
    """Calls the method of its base, which is watched too."""

    def __call__(self, x):
        return super().__call__(x) + 1


class Plain(nnx.Linear):
    """Has the method of its base."""


def test_class_that_calls_its_base_is_recorded_once():
    model = nnx.Sequential(
        Loud(3, 3, rngs=nnx.Rngs(0)),
        Plain(3, 3, rngs=nnx.Rngs(1)),
        nnx.Linear(3, 3, rngs=nnx.Rngs(2)),
    )
    acts = extract(model, X)
    assert list(acts) == ["layers.0", "layers.1", "layers.2"]
    np.testing.assert_allclose(acts["layers.0"], dense(model.layers[0], X) + 1, atol=1e-5)
    assert "__call__" not in vars(Plain)


class Compiled(nnx.Module):
    """Runs its parts inside of transformations, which work on copies of the modules."""

    def __init__(self):
        self.one = nnx.Linear(3, 3, rngs=nnx.Rngs(0))
        many = nnx.vmap(lambda rngs: nnx.Linear(3, 3, rngs=rngs))
        self.many = nnx.split_rngs(splits=3)(many)(nnx.Rngs(1))

    @nnx.jit
    def __call__(self, x):
        x = nnx.jit(lambda module, x: module(x))(self.one, x)
        scan = nnx.scan(lambda x, module: module(x), in_axes=(nnx.Carry, 0), out_axes=nnx.Carry)
        return scan(x, self.many)


def test_compiled_model_takes_a_batch_by_name():
    acts = extract(Compiled(), {"x": X, "label": X[:, 0]}, "one")
    assert acts["one"].shape == (7, 3)


@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
def test_compiled_parts_are_recorded(warm):
    model = Compiled()
    if warm:
        model(X)
    acts = extract(model, X)
    assert list(acts) == ["one", "many", "many#2", "many#3"]
    x = dense(model.one, X)
    np.testing.assert_allclose(acts["one"], x, atol=1e-5)
    kernel, bias = np.asarray(model.many.kernel[...]), np.asarray(model.many.bias[...])
    x = x @ kernel[0] + bias[0]
    np.testing.assert_allclose(acts["many"], x, atol=1e-5)
    x = (x @ kernel[1] + bias[1]) @ kernel[2] + bias[2]
    np.testing.assert_allclose(acts["many#3"], x, atol=1e-5)
    np.testing.assert_allclose(acts["many#3"], model(X), atol=1e-5)


class Hidden(nnx.Module):
    def __init__(self):
        self.seen = nnx.Linear(3, 3, rngs=nnx.Rngs(0))
        self.hidden = nnx.Linear(3, 3, rngs=nnx.Rngs(1))

    def __call__(self, x):
        return nnx.remat(lambda module, x: module(x))(self.hidden, self.seen(x))


def test_values_that_are_not_known_are_reported():
    acts = extract(Hidden(), X)
    assert list(acts) == ["seen"]
    (finding,) = acts.findings
    assert (finding.code, finding.layers) == ("VV006", ("hidden",))
    assert "no floating point tensor" in finding.message


def test_several_models_in_one_pass():
    a, b = Net(0), Net(1)
    b.stem = a.stem
    both = extract({"a": a, "b": b}, iter([X[:4], X[4:]]), ["stem", "head"])
    np.testing.assert_array_equal(both["a"]["stem"], both["b"]["stem"])
    np.testing.assert_allclose(both["b"]["head"], by_hand(b, X)["head"], atol=1e-5)
    assert both["a"].digests == both["b"].digests


@pytest.mark.parametrize(
    "batch", [X, torch.tensor(X), jnp.asarray(X), X.astype("float64")], ids=lambda x: str(type(x))
)
def test_input_of_any_library(trained, batch):
    np.testing.assert_allclose(extract(trained, batch)["stem"], dense(trained.stem, X), atol=1e-5)


class Identity(nnx.Module):
    def __call__(self, x):
        return x


def test_what_is_kept_does_not_share_memory_with_the_batch():
    buffer = np.empty((64, 64), "float32")

    def loader():
        for value in (1.0, 2.0):
            buffer[:] = value
            yield buffer

    acts = extract(nnx.Sequential(Identity()), loader())
    assert np.asarray(acts["layers.0"]).mean(axis=1).tolist() == [1.0] * 64 + [2.0] * 64


class Tokens(nnx.Module):
    """Takes two arguments by name."""

    def __init__(self):
        self.embed = nnx.Embed(9, 4, rngs=nnx.Rngs(0))

    def __call__(self, ids, attention_mask=None):
        return self.embed(ids)


def test_batch_by_name_and_pooling_by_its_mask():
    batch = {
        "ids": np.array([[1, 2, 0], [3, 4, 5]]),
        "attention_mask": np.array([[1, 1, 0], [1, 1, 1]]),
        "label": np.arange(2),
    }
    model = Tokens()
    table = np.asarray(model.embed.embedding[...])
    acts = extract(model, batch, pool="mean")
    np.testing.assert_allclose(
        acts["embed"], [table[[1, 2]].mean(0), table[[3, 4, 5]].mean(0)], atol=1e-6
    )


@pytest.mark.parametrize(
    ("pool", "shape"), [("gap", (2, 5)), ("positions", (2 * 3 * 4, 5)), ("flatten", (2, 60))]
)
def test_channels_of_maps_are_last(pool, shape):
    x = np.random.default_rng(2).normal(size=(2, 3, 4, 5)).astype("float32")
    acts = extract(nnx.Sequential(Identity()), x, pool=pool)
    expected = {"gap": x.mean((1, 2)), "positions": x.reshape(-1, 5), "flatten": x.reshape(2, -1)}
    assert acts["layers.0"].shape == shape
    np.testing.assert_allclose(acts["layers.0"], expected[pool], atol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_dtype_and_device(trained, dtype):
    acts = extract(trained, X, "head", dtype=dtype, device="cpu")
    assert acts["head"].dtype == dtype
    assert acts["head"].devices() == {jax.devices("cpu")[0]}


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"layers": "stm"}, LayerNotFoundError, "one of the 6 modules, got 'stm'. Nearest: 'stem'"),
        ({"device": "cpu:99"}, ValueError, "`device` must be a device of JAX .*, got 'cpu:99'"),
        ({"pool": lambda x, name: 3}, TypeError, "return a JAX array for `stem`, got int"),
    ],
    ids=["name", "device", "pool"],
)
def test_wrong_options(options, error, message):
    with pytest.raises(error, match=message):
        extract(Net(), X, **options)


def test_model_without_call():
    class Bare(nnx.Module):
        pass

    with pytest.raises(TypeError, match="`model` must have a method __call__, got a Bare without"):
        extract(Bare(), X)


def test_wrong_argument_names():
    with pytest.raises(ValueError, match=r"the arguments of forward \(x\), got .* with pixels"):
        extract(Net(), {"pixels": X})


def test_listing(trained):
    before = state(trained)
    found = layers(trained, X)
    assert [(layer.name, layer.type, layer.shape) for layer in found][:2] == [
        ("stem", "Linear", (7, 8)),
        ("norm", "BatchNorm", (7, 8)),
    ]
    assert [layer.name for layer in layers(trained)] == sorted(layer.name for layer in found)
    assert same(state(trained), before)


def test_provenance(trained):
    found = extract(trained, X).provenance
    parameters = 4 * 8 + 2 * 8 + 2 * 9 * 8 + 9 * 2
    assert (found["model"], found["parameters"], found["jax"]) == (
        "Net",
        parameters,
        jax.__version__,
    )
