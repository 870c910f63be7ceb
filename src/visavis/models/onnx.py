"""ONNX files, run by ONNX Runtime. The one file of `models` that imports onnx.

The layers of a file are the tensors between its nodes, under their own names and in the order of
the graph. They are read by declaring them outputs of a copy of the graph; the file is not changed.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnx
import onnxruntime
from onnx import GraphProto, ModelProto, NodeProto, TensorProto

from visavis._core import array, checks
from visavis.models import host
from visavis.models.collect import Output
from visavis.models.fingerprint import of_file
from visavis.models.frameworks import is_onnx
from visavis.models.inputs import Call
from visavis.models.masks import Masks
from visavis.models.named import NamedInputs
from visavis.models.recording import noted
from visavis.models.selection import Layers, Selection

copier = host.copier

_FLOATS = frozenset({TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16})
_MAYBE_FLOATS = _FLOATS | {TensorProto.UNDEFINED}
_WEIGHTS_FOLDER = "session.model_external_initializers_file_folder_path"


def accepts(model: object) -> bool:
    """Whether `model` is an ONNX model in any form; only the path of a file can be recorded."""
    return is_onnx(model) or isinstance(model, onnxruntime.InferenceSession | ModelProto)


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor of a graph, by the node that gives it. Its class is named for the node's operator.

    Parameters
    ----------
    node : onnx.NodeProto
        The node.
    index : int
        Which of its outputs.
    """

    node: NodeProto
    index: int = 0

    @property
    def op_type(self) -> str:
        """The operator of the node."""
        return self.node.op_type


class Recorder:
    """Records the selected tensors of one ONNX file while its ``with`` block lasts.

    Those are layers that may be floating point and depend on the values of the inputs: not what is
    computed from weights and shapes alone, such as the embeddings of positions. What a branch or
    loop computes inside is seen by its result only.

    Parameters
    ----------
    where : str
        The public function, for messages.
    model : str or Path
        The file.
    layers
        See `visavis.extract`; a predicate gets the name and a `Tensor`.
    keep : callable
        What is kept of an output, given its name and the masks of the batch.
    """

    training = (0, 0)

    def __init__(
        self,
        where: str,
        model: str | Path,
        layers: Layers,
        keep: Callable[[np.ndarray, str, Masks], Any],
    ) -> None:
        self._path = _file(where, model)
        # Weights in files of their own are left to ONNX Runtime.
        self._proto = onnx.load(self._path, load_external_data=False)
        graph = self._proto.graph
        self.modules: Mapping[str, Tensor] = _tensors(self._proto)
        self.selection = Selection(where, layers, self.modules)
        fixed = {each.name for each in graph.initializer}
        self._inputs = {each.name: each for each in graph.input if each.name not in fixed}
        self.forward: Callable[..., Any] = NamedInputs(where, list(self._inputs))
        self.ran: set[str] = set()
        self.given: dict[str, str] = {}
        self._where, self._keep = where, keep
        self._session: onnxruntime.InferenceSession | None = None
        known = {output.name for output in graph.output}
        # Without a type ONNX Runtime infers it, for operators that only it knows too.
        graph.output.extend(
            onnx.ValueInfoProto(name=name) for name in self.selection.names if name not in known
        )

    def __enter__(self) -> Self:
        self._session = self._opened()
        return self

    def __exit__(self, *exception: object) -> None:
        self._session = None

    def run(self, call: Call, masks: Masks) -> list[Output]:
        """Run the model and return what was recorded, in the order of the graph."""
        if self._session is None:
            raise RuntimeError("a recorder runs in its with block only")
        names = self.selection.names
        feeds = {
            name: _fed(x, self._inputs[name])
            for name, x in self.forward(*call.args, **call.kwargs).items()
        }
        takes = "; it takes " + ", ".join(_declared(each) for each in self._inputs.values())
        with noted(self._where, self._path.name, call, takes):
            values = self._session.run(names, feeds)
        self.ran.update(names)
        outputs = []
        for name, value in zip(names, values, strict=True):
            if isinstance(value, np.ndarray) and value.dtype.kind == "f":
                self.given[name] = name
                outputs.append(Output(name, name, self._keep(value, name, masks)))
        return outputs

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the activations come from."""
        weights = (w for w in self._proto.graph.initializer if w.data_type in _FLOATS)
        return {
            "model": self._path.name,
            "parameters": sum(math.prod(w.dims) for w in weights),
            "fingerprint": of_file(self._path),
            "onnxruntime": onnxruntime.__version__,
        }

    def _opened(self) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        if any(w.data_location == TensorProto.EXTERNAL for w in self._proto.graph.initializer):
            options.add_session_config_entry(_WEIGHTS_FOLDER, str(self._path.parent.resolve()))
        return onnxruntime.InferenceSession(
            self._proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )


def _file(where: str, model: Any) -> Path:
    if not is_onnx(model):
        expected, cure = "be the path of an .onnx file", "Give the path that it was loaded from."
        if isinstance(model, ModelProto):
            cure = 'Save it first: onnx.save(model, "model.onnx").'
        raise TypeError(checks.message(where, "model", expected, type(model).__name__, cure))
    path = Path(model).expanduser()
    if not path.is_file():
        expected = "be an .onnx file that exists"
        raise FileNotFoundError(checks.message(where, "model", expected, f"'{model}'"))
    return path


def _tensors(model: ModelProto) -> dict[str, Tensor]:
    """Return the tensors that are layers, in the order of the graph."""
    graph = model.graph
    types = _types(model)
    varying = {each.name for each in graph.input} - {each.name for each in graph.initializer}
    found: dict[str, Tensor] = {}
    for node in graph.node:
        # A shape is the same for all samples, and so is what follows from it.
        if node.op_type in {"Shape", "Size"} or not varying.intersection(_read(node)):
            continue
        varying.update(node.output)
        for index, name in enumerate(node.output):
            # An output that is left out has no name; what follows an unknown operator no type.
            if name and types.get(name, TensorProto.UNDEFINED) in _MAYBE_FLOATS:
                found[name] = _kind(node.op_type)(node, index)
    return found


def _types(model: ModelProto) -> dict[str, int | None]:
    """Return the types of elements that ONNX infers. It copies its model: weights are left out."""
    graph, known = model.graph, {each.name for each in model.graph.input}
    weights = [
        onnx.helper.make_tensor_value_info(w.name, w.data_type, w.dims)
        for w in graph.initializer
        if w.name not in known
    ]
    bare = onnx.helper.make_model(
        onnx.helper.make_graph(graph.node, "bare", [*graph.input, *weights], graph.output),
        opset_imports=model.opset_import,
        functions=model.functions,
        ir_version=model.ir_version,
    )
    inferred = onnx.shape_inference.infer_shapes(bare).graph
    return {each.name: _type(each) for each in (*inferred.value_info, *inferred.output)}


def _type(value: onnx.ValueInfoProto) -> int | None:
    """Return the type of the elements of a tensor, UNDEFINED if unknown; None for a sequence."""
    form = value.type.WhichOneof("value")
    return value.type.tensor_type.elem_type if form in {None, "tensor_type"} else None


def _read(node: NodeProto) -> Iterator[str]:
    """Yield every tensor that a node reads, in the bodies of branches and loops too."""
    yield from node.input
    for attribute in node.attribute:
        bodies: list[GraphProto] = [attribute.g, *attribute.graphs]
        for body in bodies:
            for inner in body.node:
                yield from _read(inner)


@cache
def _kind(op_type: str) -> type[Tensor]:
    return type(op_type, (Tensor,), {"__doc__": f"A tensor that {op_type} gives."})


def _fed(value: Any, declared: onnx.ValueInfoProto) -> np.ndarray:
    """Return an input in the dtype of the graph, if it is of the same kind."""
    x = array.to_numpy(value) if array.is_array(value) else np.asarray(value)
    if not declared.type.HasField("tensor_type"):
        return x
    wanted = onnx.helper.tensor_dtype_to_np_dtype(declared.type.tensor_type.elem_type)
    whole = {"b", "i", "u"}
    alike = x.dtype.kind == wanted.kind or {x.dtype.kind, wanted.kind} <= whole
    return np.ascontiguousarray(x, dtype=wanted if alike else x.dtype)


def _declared(value: onnx.ValueInfoProto) -> str:
    tensor = value.type.tensor_type
    dims = ", ".join(str(d.dim_param or d.dim_value or "?") for d in tensor.shape.dim)
    return f"{value.name} ({dims}) {TensorProto.DataType.Name(tensor.elem_type).lower()}"
