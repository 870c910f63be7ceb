"""Selection: which layers of a model are meant by names, patterns or a predicate."""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

from visavis._core import checks
from visavis._core.errors import LayerNotFoundError
from visavis.models.blocks import blocks, described
from visavis.models.findings import listed
from visavis.models.pooling import qualified_name

Layers: TypeAlias = str | Sequence[str] | Callable[[str, Any], bool]

# What an entry adds to the name of its module: a repeated call, a place in a nested output.
_ENTRY = re.compile(r"(?P<module>.+?)(?P<entry>(#\d+)?(\[[^\[\]]*\])*)")


class Selection:
    """The modules to be watched, and which of their outputs are kept.

    Parameters
    ----------
    where : str
        The public function, for messages.
    layers : str, sequence of str, or callable
        See `visavis.extract`.
    modules : mapping of str to module
        All modules of the model under all their names.

    Attributes
    ----------
    names : tuple of str
        The modules to be watched. One registered under several names is there once, under the first
        of its names that was selected; it is out if any of its names is excluded.

    Raises
    ------
    LayerNotFoundError
        If a name or pattern matches nothing, or nothing is left.
    """

    def __init__(self, where: str, layers: Layers, modules: Mapping[str, Any]) -> None:
        self._where = where
        self._whole: set[str] = set()
        self._outputs: set[str] = set()
        self._dropped: set[str] = set()
        self._dropped_outputs: set[str] = set()
        self._streams: set[str] = set()
        if layers == "blocks" and "blocks" not in modules:
            streams = blocks(modules)
            if not streams:
                raise LayerNotFoundError(
                    checks.message(
                        where,
                        "layers",
                        'find blocks for "blocks": several modules of one class, numbered',
                        f"none among {len(modules)}",
                        f"Name the layers: {listed(list(modules))}.",
                    )
                )
            self.description = described(streams, modules)
            self._whole.update(streams)
            self._streams.update(streams)
        elif callable(layers):
            self.description = qualified_name(layers)
            self._whole.update(name for name, module in modules.items() if layers(name, module))
        else:
            patterns = _patterns(where, layers)
            self.description = ", ".join(patterns)
            if all(pattern.startswith("!") for pattern in patterns):
                patterns = ("*", *patterns)
            for pattern in patterns:
                self._add(pattern, modules)
        names: dict[int, str] = {}
        out = {id(modules[name]) for name in self._dropped}
        watched = self._whole | {_module_of(output, modules) for output in self._outputs}
        for name, module in modules.items():
            if name in watched and id(module) not in out:
                names.setdefault(id(module), name)
        self.names = tuple(names.values())
        self._whole = {names[i] for n in self._whole if (i := id(modules[n])) in names}
        if not self.names:
            raise LayerNotFoundError(
                checks.message(
                    where,
                    "layers",
                    "select at least one module",
                    f"{self.description}, which selects none of {len(modules)}",
                    "A model of a single layer has no named module: wrap it, nn.Sequential(model)."
                    if not modules
                    else "",
                )
            )

    def keeps(self, module: str, output: str) -> bool:
        """Whether the entry `output` of the watched `module` is wanted."""
        if module in self._streams:
            # Of what a block gives the first tensor is the stream; caches and weights come after.
            return output in (module, f"{module}[0]", f"{module}[hidden_states]")
        wanted = module in self._whole or output in self._outputs
        return wanted and output not in self._dropped_outputs

    def check(self, outputs: Iterable[str]) -> None:
        """Raise if an output that was named is not among those that the watched modules gave."""
        known = list(outputs)
        for name in sorted(self._outputs | self._dropped_outputs):
            if name not in known:
                raise _not_found(self._where, name, known, "outputs")

    def _add(self, pattern: str, modules: Mapping[str, Any]) -> None:
        drop = pattern.startswith("!")
        pattern = pattern.removeprefix("!")
        if pattern in modules:
            (self._dropped if drop else self._whole).add(pattern)
        elif _module_of(pattern, modules) is not None:
            (self._dropped_outputs if drop else self._outputs).add(pattern)
        else:
            matches = [name for name in modules if fnmatchcase(name, pattern)]
            if not matches and modules:
                raise _not_found(self._where, pattern, list(modules), "modules")
            (self._dropped if drop else self._whole).update(matches)


def _patterns(where: str, layers: str | Sequence[str]) -> tuple[str, ...]:
    patterns = (layers,) if isinstance(layers, str) else tuple(layers)
    wrong = [type(pattern).__name__ for pattern in patterns if not isinstance(pattern, str)]
    if wrong:
        raise TypeError(
            checks.message(
                where,
                "layers",
                "be a name, a pattern, a sequence of these, or a callable (name, module) -> bool",
                f"a sequence with {wrong[0]}",
            )
        )
    if not patterns:
        raise ValueError(checks.message(where, "layers", "name at least one layer", "none"))
    return patterns


def _module_of(output: str, modules: Mapping[str, Any]) -> str | None:
    match = _ENTRY.fullmatch(output)
    if match and match["entry"] and match["module"] in modules:
        return match["module"]
    return None


def _not_found(where: str, name: str, known: list[str], kind: str) -> LayerNotFoundError:
    nearest = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    cure = "Nearest" if nearest else "There are"
    return LayerNotFoundError(
        checks.message(
            where,
            "layers",
            f"name or match one of the {len(known)} {kind}",
            repr(name),
            f"{cure}: {listed([repr(n) for n in nearest or known])}.",
        )
    )
