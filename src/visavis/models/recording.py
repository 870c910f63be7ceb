"""Recording: what the modules of one model gave in one run, under the names of their calls."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from visavis._core import array
from visavis._core.types import Array
from visavis.models.collect import Output
from visavis.models.inputs import Call
from visavis.models.masks import Masks
from visavis.models.nested import leaves
from visavis.models.selection import Selection


class Recording:
    """Outputs as they come, for frameworks in which calls of modules are watched.

    Parameters
    ----------
    selection : Selection
        The watched modules.
    keep : callable
        See `Recorder`.
    floating : callable
        Returns a leaf of an output as an array, or None if it is no floating point tensor whose
        values are known.

    Attributes
    ----------
    ran : set of str
        The modules that have run.
    given : dict of str to str
        The floating point tensors that they gave, by name, and the module of each.
    """

    def __init__(
        self,
        selection: Selection,
        keep: Callable[[Any, str, Masks], Any],
        floating: Callable[[Any], Array | None],
    ) -> None:
        self.ran: set[str] = set()
        self.given: dict[str, str] = {}
        self._selection, self._keep, self._floating = selection, keep, floating
        self._masks = Masks()
        self._calls: Counter[str] = Counter()
        self._outputs: list[Output] = []

    @contextmanager
    def run(self, masks: Masks) -> Iterator[list[Output]]:
        """Yield the list that the outputs of one run are added to."""
        self._masks, self._outputs = masks, []
        self._calls.clear()
        try:
            yield self._outputs
        finally:
            self._outputs = []

    def add(self, module: str, output: Any) -> None:
        """Record what a call of `module` gave."""
        self.ran.add(module)
        self._calls[module] += 1
        times = self._calls[module]
        called = module if times == 1 else f"{module}#{times}"
        for path, leaf in leaves(output):
            name, tensor = called + path, self._floating(leaf)
            if tensor is None:
                continue
            self.given[name] = module
            if self._selection.keeps(module, name):
                self._outputs.append(Output(module, name, self._keep(tensor, name, self._masks)))


@contextmanager
def noted(where: str, model: str, call: Call, takes: str = "") -> Iterator[None]:
    """Say in a note on an exception of the model what it was run on."""
    try:
        yield
    except Exception as error:
        inputs = ", ".join(f"{tuple(x.shape)} {array.dtype_name(x)}" for x in call.arrays())
        error.add_note(f"{where}: {model} was run on {inputs}{takes}; see `inputs`.")
        raise
