"""One pass over a loader: every batch goes through every model."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Protocol

import numpy as np

from visavis._core import checks
from visavis._core.errors import SampleMismatchError
from visavis.models.collect import Collector, Output, counts
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
    recorders: Mapping[Any, Recorder],
    collectors: Mapping[Any, Collector],
    batches: Iterable[Any],
    *,
    rows: Rows,
    kept: Kept,
    turn: tuple[int, int],
    graphs: bool,
    inputs: Callable[[Any], Any] | None,
    step: Callable[[], None],
) -> None:
    """Run every model on every batch and collect what its layers gave.

    Parameters
    ----------
    where : str
        The public function, for messages.
    recorders, collectors : mapping
        Each model, and where what it gives is collected, under the same keys.
    batches : iterable
        What the loader yields.
    rows, kept : Rows, Kept
        Who the rows are, and which of them are kept.
    turn : (int, int)
        Take the batches whose place has this remainder (first) modulo the number of workers.
    graphs : bool
        Whether a sample is a graph of which the batch holds many nodes.
    inputs, step
        See `visavis.extract`; and what to call after each batch.
    """
    with ExitStack() as stack:
        for recorder in recorders.values():
            stack.enter_context(recorder)
        for index, batch in enumerate(batches):
            asked = call(batch, inputs)
            calls = {
                key: asked.fit(where, recorder.forward, without=rows.key)
                for key, recorder in recorders.items()
            }
            owners = asked.masks().graphs(where) if graphs else None
            n = next(iter(calls.values())).rows(where) if owners is None else _graphs(owners)
            if index % turn[1] != turn[0]:
                rows.skip(n)
            elif n > 0:
                # Before any model runs, and of the whole batch: models that take different parts of
                # it still saw the same samples.
                rows.add(batch, n, asked.arrays(), owners)
                _one_batch(where, index, asked, calls, recorders, collectors, rows, kept)
            step()
            if kept.full:
                break
    if not rows.samples:
        raise ValueError(
            checks.message(
                where,
                "loader",
                "yield at least one sample",
                "none",
                "A generator can be iterated only once: make a new one.",
            )
        )
    rows.finish(kept)


def _one_batch(
    where: str,
    index: int,
    asked: Call,
    calls: Mapping[Any, Call],
    recorders: Mapping[Any, Recorder],
    collectors: Mapping[Any, Collector],
    rows: Rows,
    kept: Kept,
) -> None:
    """Run every model on one batch, unless all of it was stored by an earlier pass."""
    stored = [collector.stored(index) for collector in collectors.values()]
    before = next((each for each in stored if each is not None), None)
    if before is not None and None not in stored:
        labelled = rows.label(index, before[1], kept)
        _check_same(where, index, labelled.fingerprint, before[0])
        return
    masks = asked.masks()
    outputs = {key: recorder.run(calls[key], masks) for key, recorder in recorders.items()}
    for key, recorder in recorders.items():
        if collectors[key].batches == 0:
            _check_first(where, recorder, outputs[key])
            mask = asked.ignored_mask(recorder.forward, calls[key])
            collectors[key].ignored_mask = mask
    each = counts(where, outputs)
    labelled = rows.label(index, each, kept)
    for key, collector in collectors.items():
        collector.add(outputs[key], labelled)


def _graphs(owners: np.ndarray) -> int:
    return int(owners.max()) + 1 if owners.size else 0


def _check_same(where: str, index: int, seen: str, stored: str) -> None:
    if seen != stored:
        raise SampleMismatchError(
            checks.message(
                f"VV001 {where}",
                "loader",
                "give the samples that were stored before",
                f"others in batch {index}",
                "Is it shuffled, or cut into batches of another size? Take it as it was, or store "
                "into another folder.",
            )
        )


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
