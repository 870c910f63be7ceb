"""One pass over a loader: every batch goes through every model."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Protocol

from visavis._core import checks
from visavis.models.collect import Collector, Output
from visavis.models.inputs import Call, call
from visavis.models.masks import Masks
from visavis.models.rows import Kept, Rows
from visavis.models.selection import Selection


class Recorder(AbstractContextManager[Any], Protocol):
    """One model, whose selected modules are recorded while its ``with`` block lasts.

    Each framework's file has one.

    Attributes
    ----------
    modules : mapping of str to module
        All modules that can run, under every name that they have, in order of registration.
    selection : Selection
        Which of them are recorded.
    forward : callable
        Whose signature says what the model takes.
    training : tuple of int
        How many modules were in training mode, of how many.
    ran : set of str
        The recorded modules that have run.
    given : mapping of str to str
        The floating point tensors that they gave, by name, and the module of each.
    provenance : mapping
        The model in words and numbers.
    """

    modules: Mapping[str, Any]
    selection: Selection
    forward: Callable[..., Any]
    training: tuple[int, int]
    ran: set[str]
    given: Mapping[str, str]

    @property
    def provenance(self) -> Mapping[str, Any]:
        """The model in words and numbers."""
        ...

    def run(self, call: Call, masks: Masks) -> Sequence[Output]:
        """Run the model and return what was recorded, in the order of completion.

        What is kept of an output is ``keep(output, name, masks)``, with the `keep` that the
        recorder was made with.
        """
        ...


def one_pass(
    where: str,
    recorders: Mapping[str, Recorder],
    batches: Iterable[Any],
    *,
    rows: Rows,
    kept: Kept,
    inputs: Callable[[Any], Any] | None,
    step: Callable[[], None],
) -> dict[str, Collector]:
    """Run every model on every batch and return what was collected, under the models' keys."""
    collectors = {key: Collector(where) for key in recorders}
    with ExitStack() as stack:
        for recorder in recorders.values():
            stack.enter_context(recorder)
        for batch in batches:
            asked = call(batch, inputs)
            masks = asked.masks()
            calls = {
                key: asked.fit(where, recorder.forward, without=rows.key)
                for key, recorder in recorders.items()
            }
            n = next(iter(calls.values())).rows(where)
            if n > 0:
                # Before any model runs, and of the whole batch: models that take different parts
                # of it still saw the same samples.
                rows.add(batch, n, asked.arrays())
                for key, recorder in recorders.items():
                    outputs = recorder.run(calls[key], masks)
                    if collectors[key].batches == 0:
                        _check_first(where, recorder, outputs)
                        mask = asked.ignored_mask(recorder.forward, calls[key])
                        collectors[key].ignored_mask = mask
                    collectors[key].add(outputs, n, kept)
                kept.advance(_total(where, collectors, n))
            step()
            if kept.full:
                break
    if not rows.digests:
        raise ValueError(
            checks.message(
                where,
                "loader",
                "yield at least one sample",
                "none",
                "A generator can be iterated only once: make a new one.",
            )
        )
    rows.finish(next(iter(collectors.values())).counts, kept)
    return collectors


def _total(where: str, collectors: Mapping[str, Collector], n: int) -> int:
    """Return how many rows a batch of `n` samples gave, the same in every model."""
    counts = [None if c.counts is None else c.counts[-n:] for c in collectors.values()]
    if any(each != counts[0] for each in counts):
        raise ValueError(
            checks.message(
                where,
                "model",
                "give as many rows per sample as the others",
                "models that differ in their number of tokens or positions",
                "Their rows do not correspond: extract them one by one.",
            )
        )
    return n if counts[0] is None else sum(counts[0])


def _check_first(where: str, recorder: Recorder, outputs: Sequence[Output]) -> None:
    """Raise before the long run what the first batch shows to be in vain."""
    selected = recorder.selection
    if not recorder.ran:
        raise ValueError(
            checks.message(
                where,
                "layers",
                "select modules that run",
                f"{selected.description}: none of {len(selected.names)} ran on the first batch",
                "Hooks see a module only if it is called: module(x), not module.forward(x).",
            )
        )
    selected.check(recorder.given)
    if not outputs:
        raise ValueError(
            checks.message(
                where,
                "layers",
                "select modules that give a floating point tensor",
                f"{selected.description}: none of {len(selected.names)} gave one",
            )
        )
