"""Keras models: what is recorded, under which names, and that they stay as they were."""

import json
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

# Keras chooses once, when it is imported; PyTorch has a test of its own at the end.
os.environ.setdefault("KERAS_BACKEND", "jax")
import keras
import numpy as np
import pytest
import torch

from visavis._core.errors import LayerNotFoundError
from visavis.models import extract, layers

BACKEND = keras.config.backend()
X = np.random.default_rng(0).normal(size=(7, 3)).astype("float32")


def sequential(seed=0):
    """Return a net with everything that behaves differently in training."""
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(8, name="stem"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.Dropout(0.5, name="drop"),
            keras.layers.Dense(2, activation="relu", activity_regularizer="l2", name="head"),
        ]
    )


@pytest.fixture(scope="module")
def trained():
    """Return a net after a few steps."""
    model, rng = sequential(), np.random.default_rng(1)
    x = rng.normal(1, 2, size=(64, 3)).astype("float32")
    model.compile("sgd", "mse")
    model.fit(x, x[:, :2], batch_size=16, epochs=2, verbose=0)
    return model


def weights(layer):
    return [np.asarray(keras.ops.convert_to_numpy(each.value)) for each in layer.weights]


def dense(layer, x):
    kernel, bias = weights(layer)
    return x @ kernel + bias


def by_hand(model, x):
    """Return the layers of `sequential` in inference, computed in NumPy."""
    stem = dense(model.get_layer("stem"), x)
    norm = model.get_layer("norm")
    scale, bias, mean, var = weights(norm)
    normed = (stem - mean) / np.sqrt(var + norm.epsilon) * scale + bias
    head = np.maximum(dense(model.get_layer("head"), normed), 0)
    return {"stem": stem, "norm": normed, "drop": normed, "head": head}


def state(model):
    return [np.array(keras.ops.convert_to_numpy(each.value)) for each in model.variables]


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("sizes", [[7], [4, 3], [6, 1]], ids=str)
def test_values_are_those_of_the_layers_in_inference(trained, sizes):
    expected = by_hand(trained, X)
    acts = extract(trained, np.split(X, np.cumsum(sizes)[:-1]))
    assert list(acts) == list(expected)
    assert {type(each) for each in acts.values()} == {np.ndarray}
    np.testing.assert_allclose(
        np.concatenate(list(acts.values()), axis=1),
        np.concatenate(list(expected.values()), axis=1),
        atol=1e-5,
    )


def test_norm_has_learned_statistics(trained):
    assert np.abs(weights(trained.get_layer("norm"))[2]).max() > 0.01


def test_model_is_left_as_it_was(trained):
    before, call, losses = state(trained), keras.Layer.__call__, len(trained.losses)
    acts = extract(trained, [X, X])
    assert acts.findings == ()
    assert same(state(trained), before)
    assert keras.Layer.__call__ is call
    assert len(trained.losses) == losses


class Counting(keras.Model):
    """Counts its calls in a variable, and raises where it is told to."""

    def __init__(self, error=None):
        super().__init__()
        self.body = keras.layers.Dense(3, name="body")
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)
        self.error = error

    def call(self, x):
        self.calls.assign_add(1.0)
        x = self.body(x)
        if self.error is not None:
            raise self.error
        return x


@pytest.mark.parametrize("error", [None, RuntimeError("no memory"), KeyboardInterrupt()])
def test_state_that_a_call_changes_is_set_back(error):
    model, call = Counting(), keras.Layer.__call__
    model(X)
    model.error = error
    before = state(model)
    with nullcontext() if error is None else pytest.raises(type(error)):
        extract(model, [X, X])
    assert same(state(model), before)
    assert keras.Layer.__call__ is call


def test_exception_in_the_model_says_what_was_run(trained):
    with pytest.raises(ValueError, match="incompatible") as caught:
        extract(trained, X[:, :2])
    note = "extract: Sequential was run on (7, 2) float32; see `inputs`."
    assert caught.value.__notes__ == [note]


def functional():
    """Return a graph with two inputs, a layer that runs twice, and nets in it."""
    keras.utils.set_random_seed(0)
    ids = keras.Input((4,), name="ids", dtype="int32")
    shift = keras.Input((4, 3), name="attention_mask_shift")
    shared = keras.layers.Dense(3, name="shared")
    x = keras.layers.Embedding(9, 3, name="embed")(ids)
    x = shared(keras.ops.relu(shared(x + shift)))
    inner = keras.Sequential([keras.Input((4, 3)), keras.layers.Dense(2, name="a")], name="inner")
    return keras.Model([ids, shift], inner(x))


IDS = np.random.default_rng(3).integers(0, 9, size=(5, 4))
SHIFT = np.random.default_rng(4).normal(size=(5, 4, 3)).astype("float32")
BATCH = {"attention_mask_shift": SHIFT, "ids": IDS, "label": np.arange(5)}


@pytest.mark.parametrize(
    ("loader", "inputs"),
    [
        (BATCH, None),
        ([(IDS, SHIFT)], lambda batch: batch),
        ([(IDS, SHIFT)], lambda batch: (list(batch),)),
        ([(IDS, SHIFT)], lambda batch: {"ids": batch[0], "attention_mask_shift": batch[1]}),
        ([(torch.tensor(IDS), torch.tensor(SHIFT))], lambda batch: batch),
    ],
    ids=["mapping", "tuple", "structure", "names", "torch"],
)
def test_graph_with_shared_and_nested_layers(loader, inputs):
    model = functional()
    acts = extract(model, loader, inputs=inputs)
    assert list(acts) == ["embed", "shared", "shared#2", "inner.a", "inner"]
    shared, (table,) = model.get_layer("shared"), weights(model.get_layer("embed"))
    first = dense(shared, table[IDS] + SHIFT)
    second = dense(shared, np.maximum(first, 0))
    np.testing.assert_allclose(acts["shared"], first, atol=1e-5)
    np.testing.assert_allclose(acts["shared#2"], second, atol=1e-5)
    last = dense(model.get_layer("inner").get_layer("a"), second)
    np.testing.assert_allclose(acts["inner.a"], last, atol=1e-5)


def test_graph_whose_inputs_are_a_mapping():
    keras.utils.set_random_seed(0)
    one, two = keras.Input((3,), name="b"), keras.Input((3,), name="a")
    model = keras.Model({"b": one, "a": two}, keras.layers.Dense(2, name="only")(one - 2 * two))
    acts = extract(model, {"a": X, "b": X + 1})
    np.testing.assert_allclose(acts["only"], dense(model.get_layer("only"), 1 - X), atol=1e-5)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (lambda batch: batch["ids"], "got nothing for 'attention_mask_shift'"),
        (lambda batch: {"id": batch["ids"]}, "got 'id', which it does not take and nothing for"),
        (lambda batch: (IDS, SHIFT, SHIFT), "got input 3, which it does not take"),
    ],
    ids=["missing", "unknown", "many"],
)
def test_wrong_inputs_of_a_graph(inputs, message):
    expected = r"give the inputs of the model \(ids, attention_mask_shift\), " + message
    with pytest.raises(ValueError, match=expected):
        extract(functional(), [BATCH], inputs=inputs)


class Block(keras.layers.Layer):
    """A layer with layers in a list, giving nested outputs, and one that never runs."""

    def __init__(self):
        super().__init__(name="block")
        self.parts = [keras.layers.Dense(3, name="part"), keras.layers.Dense(3, name="part")]
        self.unused = keras.layers.Dense(3, name="unused")

    def call(self, x):
        first = self.parts[0](x)
        return {"pair": (first, self.parts[1](first)), "top": keras.ops.argmax(x, axis=1)}


class Holder(keras.Model):
    def __init__(self):
        super().__init__()
        self.block = Block()

    def call(self, x):
        return self.block(x)["pair"][1]


@pytest.fixture(scope="module")
def holder():
    model = Holder()
    with pytest.warns(UserWarning, match="unbuilt state"):  # of the layer that never runs
        model(X)
    return model


@pytest.mark.parametrize(
    ("selected", "names"),
    [
        ("*", ["block.part", "block.part_1", "block[pair][0]", "block[pair][1]"]),
        ("block[pair][1]", ["block[pair][1]"]),
        (lambda name, layer: layer.name == "part", ["block.part", "block.part_1"]),
    ],
    ids=["all", "one", "predicate"],
)
def test_subclassed_models_and_nested_outputs(holder, selected, names):
    acts = extract(holder, [X[:4], X[4:]], selected)
    assert list(acts) == names
    one, two = holder.block.parts
    np.testing.assert_allclose(acts[names[-1]], dense(two, dense(one, X)), atol=1e-5)


def test_layer_that_never_runs_is_reported(holder):
    (finding,) = extract(holder, X).findings
    assert (finding.code, finding.layers) == ("VV006", ("block.unused",))


@pytest.mark.skipif(BACKEND != "jax", reason="only JAX compiles loops")
def test_values_inside_a_compiled_loop_are_reported():
    model = keras.Sequential([keras.Input((4, 3)), keras.layers.SimpleRNN(2, name="rnn")])
    acts = extract(model, SHIFT)
    assert list(acts) == ["rnn"]
    (finding,) = acts.findings
    assert finding.layers == ("rnn.simple_rnn_cell",)
    assert "no floating point tensor" in finding.message


def test_several_models_in_one_pass():
    a, b = sequential(0), sequential(1)
    both = extract({"a": a, "b": b}, iter([X[:4], X[4:]]), ["stem", "head"])
    np.testing.assert_allclose(both["a"]["stem"], by_hand(a, X)["stem"], atol=1e-5)
    np.testing.assert_allclose(both["b"]["head"], by_hand(b, X)["head"], atol=1e-5)
    assert both["a"].digests == both["b"].digests


def test_models_that_share_a_layer():
    trunk = keras.layers.Dense(3, name="trunk")
    a, b = (
        keras.Sequential([keras.Input((3,)), keras.layers.Activation(f, name="act"), trunk])
        for f in ("relu", "tanh")
    )
    first, second = extract([a, b], X)
    assert list(first) == list(second) == ["act", "trunk"]
    np.testing.assert_allclose(first["trunk"], dense(trunk, np.maximum(X, 0)), atol=1e-5)
    np.testing.assert_allclose(second["trunk"], dense(trunk, np.tanh(X)), atol=1e-5)


def test_what_is_kept_does_not_share_memory_with_the_batch():
    buffer = np.empty((64, 64), "float32")

    def loader():
        for value in (1.0, 2.0):
            buffer[:] = value
            yield buffer

    model = keras.Sequential([keras.Input((64,)), keras.layers.Identity(name="same")])
    acts = extract(model, loader())
    assert acts["same"].mean(axis=1).tolist() == [1.0] * 64 + [2.0] * 64


def test_pooling_by_the_mask_of_the_batch():
    keras.utils.set_random_seed(0)
    ids = keras.Input((3,), name="ids", dtype="int32")
    model = keras.Model(ids, keras.layers.Embedding(9, 4, name="embed")(ids))
    batch = {
        "ids": np.array([[1, 2, 0], [3, 4, 5]]),
        "attention_mask": np.array([[1, 1, 0], [1, 1, 1]]),
    }
    (table,) = weights(model.get_layer("embed"))
    acts = extract(model, batch, pool="mean")
    expected = [table[[1, 2]].mean(0), table[[3, 4, 5]].mean(0)]
    np.testing.assert_allclose(acts["embed"], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("pool", "expected"),
    [("gap", lambda x: x.mean((1, 2))), ("positions", lambda x: x.reshape(-1, 5))],
    ids=["gap", "positions"],
)
def test_channels_of_maps_are_where_keras_has_them(pool, expected):
    x = np.random.default_rng(2).normal(size=(2, 3, 4, 5)).astype("float32")
    model = keras.Sequential([keras.Input((3, 4, 5)), keras.layers.Identity(name="same")])
    np.testing.assert_allclose(extract(model, x, pool=pool)["same"], expected(x), atol=1e-6)


@pytest.mark.parametrize(
    ("policy", "dtype", "kept"),
    [
        ("float32", None, "float32"),
        ("float32", "float16", "float16"),
        ("mixed_float16", None, "float16"),
        ("mixed_bfloat16", None, "float32"),
        ("mixed_bfloat16", "float16", "float16"),
    ],
)
def test_dtype(policy, dtype, kept):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, dtype=policy, name="only")])
    acts = extract(model, X, dtype=dtype, device="cpu")
    assert acts["only"].dtype == kept
    np.testing.assert_allclose(
        acts["only"], dense(model.get_layer("only"), X), atol=0.03, rtol=0.03
    )


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"layers": "stm"}, LayerNotFoundError, "one of the 4 modules, got 'stm'. Nearest: 'stem'"),
        ({"device": "cuda"}, ValueError, '`device` must be "cpu" for a model .*, got cuda'),
        ({"pool": lambda x, name: 3}, TypeError, "return a NumPy array for `stem`, got int"),
    ],
    ids=["name", "device", "pool"],
)
def test_wrong_options(trained, options, error, message):
    with pytest.raises(error, match=message):
        extract(trained, X, **options)


def test_model_that_is_not_built():
    with pytest.raises(ValueError, match="`model` must be built, got a Sequential that is not"):
        extract(keras.Sequential([keras.layers.Dense(3)]), X)


def test_listing(trained):
    found = layers(trained, X)
    assert [(layer.name, layer.type, layer.shape) for layer in found] == [
        ("stem", "Dense", (7, 8)),
        ("norm", "BatchNormalization", (7, 8)),
        ("drop", "Dropout", (7, 8)),
        ("head", "Dense", (7, 2)),
    ]
    assert [layer.name for layer in layers(trained)] == [layer.name for layer in found]


def test_provenance(trained):
    found = extract(trained, X).provenance
    parameters = 4 * 8 + 4 * 8 + 9 * 2
    assert [found[key] for key in ("model", "parameters", "keras", "backend")] == [
        "Sequential",
        parameters,
        keras.version(),
        BACKEND,
    ]


def test_pytorch_as_backend():
    """With it a Keras model is a torch.nn.Module too, and is still taken as one of Keras."""
    code = """
import json
import keras, numpy as np, torch
from visavis.models import extract
x = np.arange(12, dtype="float32").reshape(4, 3)
rnn = keras.layers.SimpleRNN(2, name="rnn")
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="only"),
    keras.layers.Dropout(0.5, name="drop"), keras.layers.Reshape((2, 1)), rnn])
kernel = model.get_layer("only").kernel.value.detach().numpy()
acts = extract(model, [x[:3], x[3:]], ["only", "drop", "rnn.*"])
grad = torch.is_grad_enabled()
close = [bool(np.allclose(acts[name], x @ kernel, atol=1e-5)) for name in ("only", "drop")]
print(json.dumps([acts.provenance["backend"], [type(each).__name__ for each in acts.values()],
    close, list(acts), grad]))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "KERAS_BACKEND": "torch"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stderr == ""
    backend, kinds, close, names, grad = json.loads(done.stdout)
    assert backend == "torch"
    assert set(kinds) == {"ndarray"}
    assert close == [True, True]
    assert names[:3] == ["only", "drop", "rnn.simple_rnn_cell[0]"]
    assert grad
