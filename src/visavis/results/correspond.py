"""Whether the rows of two sets of activations describe the same samples."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

from visavis._core import checks
from visavis._core.errors import SampleMismatchError
from visavis.results.activations import Activations
from visavis.results.finding import Finding

Align = Literal["strict", "inner"]


def correspond(
    a: Activations,
    b: Activations,
    *,
    align: Align = "strict",
    where: str = "compare",
    names: tuple[str, str] = ("a", "b"),
) -> tuple[Activations, Activations, tuple[Finding, ...]]:
    """Return `a` and `b` with corresponding rows, or refuse.

    Rows correspond if their ids agree one by one. Where either side has no ids, the digests of the
    model inputs decide if both have them; else only the number of rows can be checked.

    Parameters
    ----------
    a, b : Activations
        Two sets of layers.
    align : {"strict", "inner"}
        ``"inner"`` keeps the ids that both sides have, in the order of `a`, and reports what was
        dropped.
    where : str
        What asks, for messages.
    names : pair of str
        What messages call the two sides.

    Raises
    ------
    SampleMismatchError
        ``VV001`` if the samples differ, ``VV007`` if a shuffled loader was iterated twice.
    """
    checks.option(where, "align", align, ("strict", "inner"))
    if a is b:
        return a, b, ()
    if align == "inner":
        return _join(a, b, where, names)
    if a.ids is not None and b.ids is not None:
        if a.ids != b.ids:
            raise SampleMismatchError(_mismatch(a.ids, b.ids, where, names, _CURE))
    elif a.n != b.n:
        raise SampleMismatchError(
            checks.message(
                f"VV001 {where}",
                "` and `".join(names),
                "describe the same samples",
                f"{a.n} and {b.n} rows",
                _CURE,
            )
        )
    elif a.digests is not None and b.digests is not None and a.digests != b.digests:
        same_inputs = Counter(a.digests) == Counter(b.digests)
        if same_inputs or a.shuffled or b.shuffled:
            message = _shuffled(a.digests, b.digests, where, names)
            raise SampleMismatchError(message, code="VV007")
    return a, b, ()


_CURE = 'Give both the same samples, or join them by id with align="inner".'
_NOTHING_IN_COMMON = "See how the ids are written: an integer is not its text."


def _mismatch(
    a: Sequence[Any], b: Sequence[Any], where: str, names: tuple[str, str], cure: str
) -> str:
    in_a, in_b = set(a), set(b)
    only_a, only_b = [i for i in a if i not in in_b], [i for i in b if i not in in_a]
    if not only_a and not only_b:
        row = next(row for row, (i, j) in enumerate(zip(a, b, strict=True)) if i != j)
        seen = f"the same {len(a)} ids in another order (row {row} is {a[row]!r} and {b[row]!r})"
    else:
        seen = (
            f"{len(only_a)} of {len(a)} ids that `{names[1]}` lacks{_examples(only_a)} and "
            f"{len(only_b)} of {len(b)} that `{names[0]}` lacks{_examples(only_b)}"
        )
    both = "` and `".join(names)
    return checks.message(f"VV001 {where}", both, "have the same ids row by row", seen, cure)


def _examples(ids: Sequence[Any]) -> str:
    if not ids:
        return ""
    return f" ({', '.join(repr(i) for i in ids[:3])}{', ...' if len(ids) > 3 else ''})"


def _shuffled(a: Sequence[str], b: Sequence[str], where: str, names: tuple[str, str]) -> str:
    both = "the two sides" if names == ("a", "b") else " and ".join(names)
    moved = sum(i != j for i, j in zip(a, b, strict=True))
    return (
        f"VV007 {where}: the model inputs behind {moved} of {len(a)} rows differ between {both}: "
        "a shuffled loader was iterated once for each model. Extract both in one pass "
        "(extract({'a': model_a, 'b': model_b}, loader)), use shuffle=False, or pass ids."
    )


def _join(
    a: Activations, b: Activations, where: str, names: tuple[str, str]
) -> tuple[Activations, Activations, tuple[Finding, ...]]:
    if a.ids is None or b.ids is None:
        raise SampleMismatchError(
            checks.message(
                f"VV001 {where}",
                "` and `".join(names),
                'have ids to be joined with align="inner"',
                "no ids on " + ("both sides" if a.ids is b.ids else "one side"),
                "Pass ids when extracting or loading.",
            )
        )
    position = {identity: row for row, identity in enumerate(b.ids)}
    kept = [(row, position[i]) for row, i in enumerate(a.ids) if i in position]
    if not kept:
        raise SampleMismatchError(_mismatch(a.ids, b.ids, where, names, _NOTHING_IN_COMMON))
    if len(kept) == a.n == b.n and all(i == j for i, j in kept):
        return a, b, ()
    note = Finding(
        "VV001",
        f"joined by id: {len(kept)} samples are common; {a.n - len(kept)} of {a.n} rows of the "
        f"first side and {b.n - len(kept)} of {b.n} of the second were left out.",
        severity="info",
        evidence={"kept": len(kept), "dropped_a": a.n - len(kept), "dropped_b": b.n - len(kept)},
    )
    return a.take([i for i, _ in kept]), b.take([j for _, j in kept]), (note,)
