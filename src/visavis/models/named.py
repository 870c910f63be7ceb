"""Named inputs: what stands for ``forward`` where a model is a graph with inputs."""

import inspect
from collections.abc import Sequence
from typing import Any

from visavis._core import checks
from visavis.models.findings import listed


class _Input(inspect.Parameter):
    """A parameter whose name need not be one of Python: ``input.1``, ``images:0``."""

    def __init__(self, name: str) -> None:
        super().__init__("input", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        self._of_graph = name

    @property
    def name(self) -> str:
        """The name of the input in its graph."""
        return self._of_graph


class NamedInputs:
    """Arguments of a call, by the names of a graph's inputs; `inspect.signature` knows these.

    Parameters
    ----------
    where : str
        The public function, for messages.
    names : sequence of str
        The inputs of the graph, in order.

    Examples
    --------
    >>> inputs = NamedInputs("extract", ["ids", "mask"])
    >>> inputs(1, mask=2)
    {'ids': 1, 'mask': 2}
    >>> list(inspect.signature(inputs).parameters)
    ['ids', 'mask']
    """

    def __init__(self, where: str, names: Sequence[str]) -> None:
        self._where, self._names = where, list(names)
        self.__signature__ = inspect.Signature([_Input(name) for name in names])

    def __call__(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the arguments by name; ValueError if one is missing or unknown."""
        given = dict(zip(self._names, args, strict=False)) | kwargs
        unknown = [*(f"input {i + 1}" for i in range(len(self._names), len(args)))]
        unknown += [repr(name) for name in kwargs if name not in self._names]
        missing = [repr(name) for name in self._names if name not in given]
        if unknown or missing:
            seen = [f"{listed(unknown)}, which it does not take"] if unknown else []
            seen += [f"nothing for {listed(missing)}"] if missing else []
            raise ValueError(
                checks.message(
                    self._where,
                    "loader",
                    f"give the inputs of the model ({', '.join(self._names)})",
                    " and ".join(seen),
                    "Batches may be mappings by these names; or say how a batch becomes them: "
                    "inputs=lambda batch: {...}.",
                )
            )
        return given
