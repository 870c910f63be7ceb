"""Inputs: batches from what the caller gave, and how a model is called with one."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

from visavis._core import array, checks
from visavis._core.types import Array
from visavis.models.masks import SPECIAL, Masks
from visavis.models.nested import leaves

# The usual names of what tells content from padding; a head_mask or bool_masked_pos does not.
_MASKS = ("attention_mask", "padding_mask", "pad_mask")


@dataclass(frozen=True)
class Call:
    """Arguments of one call of a model.

    Parameters
    ----------
    args, kwargs
        Positional and keyword arguments.
    optional : bool
        Whether keyword arguments that ``forward`` does not take are left out (a batch holds
        labels too) or were chosen by the caller, who is told if they do not fit.
    partial : bool
        Whether the batch had more elements, which are ignored.
    """

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    optional: bool = False
    partial: bool = False

    def arrays(self) -> Iterator[Array]:
        """Yield every array among the arguments."""
        for _, leaf in leaves((self.args, self.kwargs)):
            if array.is_array(leaf):
                yield leaf

    def rows(self, where: str) -> int:
        """Return the number of samples: the first dimension of the first array."""
        for x in self.arrays():
            if x.ndim > 0:
                return int(x.shape[0])
        kinds = [type(value).__name__ for value in (*self.args, *self.kwargs.values())]
        raise TypeError(
            checks.message(
                where,
                "loader",
                "give batches with an array, whose first dimension is the batch",
                ", ".join(kinds) or "nothing",
                "Say how a batch becomes the model's input: inputs=lambda batch: ...",
            )
        )

    def fit(self, where: str, forward: Callable[..., Any], *, without: str | None) -> "Call":
        """Return the call with the keyword arguments that `forward` takes.

        A `forward` that takes any keyword gets all of them but `without`, the sample ids.
        """
        if not self.optional:
            return self
        parameters = inspect.signature(forward).parameters.values()
        named = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
        fitting = {
            key: value
            for key, value in self.kwargs.items()
            if key in named or (takes_any and key not in (without, SPECIAL))
        }
        if self.kwargs and not fitting:
            raise ValueError(
                checks.message(
                    where,
                    "loader",
                    f"give batches with the arguments of forward ({', '.join(named)})",
                    f"a mapping with {', '.join(map(str, self.kwargs))}",
                    "Say how a batch becomes the model's input: inputs=lambda batch: ...",
                )
            )
        return Call(self.args, fitting)

    def masks(self) -> Masks:
        """Return the token masks of the batch, whether the model takes them or not."""
        return Masks.of(self.kwargs)

    def ignored_mask(self, forward: Callable[..., Any], fitted: "Call") -> str | None:
        """Return the name of a mask that the batch seems to hold and the model is not given."""
        left_out = [str(key) for key in self.kwargs if key not in fitted.kwargs]
        names = inspect.signature(forward).parameters if self.partial else left_out
        return next((name for name in names if name == "mask" or name.endswith(_MASKS)), None)


def call(batch: Any, inputs: Callable[[Any], Any] | None) -> Call:
    """Return how a model is called with `batch`; the rule is documented at `visavis.extract`."""
    if inputs is not None:
        chosen = inputs(batch)
        if isinstance(chosen, Mapping):
            return Call(kwargs=chosen)
        return Call(chosen if isinstance(chosen, tuple) and not _is_object(chosen) else (chosen,))
    partial = False
    if isinstance(batch, (tuple, list)) and not _is_object(batch) and batch:
        batch, partial = batch[0], len(batch) > 1
    if isinstance(batch, Mapping):
        return Call(kwargs=batch, optional=True)
    return Call((batch,), partial=partial)


def _is_object(value: Any) -> bool:
    # A packed sequence is a tuple, but one thing: it moves itself between devices.
    return hasattr(value, "to")


def batches(where: str, loader: Any, batch_size: int) -> tuple[Iterable[Any], int | None]:
    """Return what to iterate over, and the number of batches where it is known.

    An array, or a mapping of arrays, is cut into batches of `batch_size` rows.
    """
    if isinstance(batch_size, bool) or not isinstance(batch_size, Integral) or batch_size < 1:
        expected = "be a positive integer"
        raise ValueError(checks.message(where, "batch_size", expected, repr(batch_size)))
    if array.is_array(loader):
        if loader.ndim == 0:
            raise _not_a_loader(where, "a 0-d array")
        return _slices({"": loader}, batch_size, lambda parts: parts[""])
    if isinstance(loader, Mapping):
        values = list(loader.values())
        lengths = {x.shape[0] if array.is_array(x) and x.ndim > 0 else None for x in values}
        if len(lengths) == 1 and None not in lengths:
            return _slices(loader, batch_size, dict)
        kinds = (f"{tuple(x.shape)}" if array.is_array(x) else type(x).__name__ for x in values)
        raise _not_a_loader(where, f"a mapping of {', '.join(kinds) or 'nothing'}")
    if isinstance(loader, (str, bytes)) or not isinstance(loader, Iterable):
        raise _not_a_loader(where, type(loader).__name__)
    try:
        return loader, len(loader)  # pyright: ignore[reportArgumentType]
    except TypeError:  # a generator, or the loader of a stream
        return loader, None


def _not_a_loader(where: str, seen: str) -> TypeError:
    return TypeError(
        checks.message(
            where,
            "loader",
            "be an iterable of batches, an array, or a mapping of arrays of one length",
            seen,
        )
    )


def _slices(
    arrays: Mapping[str, Array], batch_size: int, form: Callable[[dict[str, Array]], Any]
) -> tuple[Iterable[Any], int]:
    n = int(next(iter(arrays.values())).shape[0])
    starts = range(0, n, batch_size)
    return (
        form({key: x[start : start + batch_size] for key, x in arrays.items()}) for start in starts
    ), len(starts)
