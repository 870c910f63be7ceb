"""Findings of an extraction: what its reader should know about the model and the run."""

from collections.abc import Mapping, Sequence

from visavis._core import array
from visavis.results import Finding

_LISTED = 5


def listed(names: Sequence[str]) -> str:
    """Write the first few of `names`, and how many more there are.

    Examples
    --------
    >>> listed(["a", "b"]), listed(["a"] * 7)
    ('a, b', 'a, a, a, a, a and 2 more')
    """
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def never_ran(modules: Sequence[str], selected: int) -> list[Finding]:
    """Report selected modules that were never called."""
    if not modules:
        return []
    return [
        Finding(
            "VV006",
            f"{len(modules)} of {selected} selected modules never ran: {listed(modules)}.",
            "This input does not reach them, or the model uses their weights without calling them.",
            layers=tuple(modules),
            evidence={"modules": len(modules), "selected": selected},
        )
    ]


def places(layers: Sequence[str], groups: Sequence[object] | None) -> list[Finding]:
    """Report rows that are places of samples and so not independent."""
    if groups is None:
        return []
    samples = len(set(groups))
    return [
        Finding(
            "VV008",
            f"{len(groups)} rows are tokens or places of {samples} samples: they are not "
            "independent, and tell less than as many samples would.",
            "Resample and permute whole samples (`groups`), or pool to one row per sample.",
            severity="info",
            layers=tuple(layers),
            evidence={"rows": len(groups), "samples": samples},
        )
    ]


def nothing_to_record(modules: Sequence[str]) -> list[Finding]:
    """Report selected modules that ran and gave no floating point tensor."""
    if not modules:
        return []
    return [
        Finding(
            "VV006",
            f"no floating point tensor came from {listed(modules)}.",
            severity="info",
            layers=tuple(modules),
            evidence={"modules": len(modules)},
        )
    ]


def irregular(times: Mapping[str, int], batches: int) -> list[Finding]:
    """Report outputs that some batches lack, given in how many of them each one was seen."""
    if not times:
        return []
    return [
        Finding(
            "VV006",
            f"left out, because not every sample has a row: {in_batches(times, batches)}.",
            "The model calls these modules on some inputs only, or not always equally often.",
            layers=tuple(times),
            evidence={"batches": batches, "fewest": min(times.values())},
        )
    ]


def in_batches(times: Mapping[str, int], batches: int) -> str:
    """Write in how many batches each output was seen."""
    return listed([f"{name} ({count} of {batches} batches)" for name, count in times.items()])


def training_mode(modules: int, of: int) -> list[Finding]:
    """Report that some modules of a model were in training mode."""
    if not modules:
        return []
    return [
        Finding(
            "VV013",
            f"training mode was on for {modules} of {of} modules; the model was run in evaluation "
            "mode and set back.",
            severity="info",
            evidence={"modules": modules, "of": of},
        )
    ]


def ignored_mask(name: str | None) -> list[Finding]:
    """Report that the model could have been given a mask, and was not."""
    if name is None:
        return []
    return [
        Finding(
            "VV012",
            f"`{name}` was not given to the model, though the batches seem to hold it: padding "
            "then counts as content.",
            "If so, hand it over: inputs=lambda batch: (input, mask), or a mapping of arguments.",
            evidence={"argument": name},
        )
    ]


def reduced_precision(layers: Mapping[str, str]) -> list[Finding]:
    """Report layers in half precision, of the dtypes by name."""
    reduced = {name: dtype for name, dtype in layers.items() if dtype in array.HALF}
    if not reduced:
        return []
    return [
        Finding(
            "VV015",
            f"{len(reduced)} of {len(layers)} layers were recorded in "
            f"{' and '.join(sorted(set(reduced.values())))}: {listed(list(reduced))}.",
            "Run the model in float32 if small differences matter.",
            severity="info",
            layers=tuple(reduced),
            evidence={"layers": len(reduced)},
        )
    ]
