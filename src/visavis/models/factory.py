"""Factories: a model that is named in text, as on the command line."""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from visavis._core import checks


def from_factory(text: str) -> Any:
    """Return what a factory makes; **this runs the code that the text names**.

    Parameters
    ----------
    text : str
        ``path/to/file.py:factory`` or ``package.module:factory``, the factory a function without
        arguments, or the model itself.

    Raises
    ------
    ValueError
        If the text has another form.
    FileNotFoundError, ImportError, LookupError
        If there is no such file, module or name in it.
    """
    source, colon, name = text.rpartition(":")
    if not colon or not source or not name.isidentifier():
        raise ValueError(
            checks.message(
                "model",
                "MODEL",
                "be path/to/file.py:factory or package.module:factory",
                repr(text),
                "The factory is a function without arguments that returns the model.",
            )
        )
    module = _from_file(Path(source)) if source.endswith(".py") else _by_name(source)
    if not hasattr(module, name):
        public = ", ".join(each for each in vars(module) if not each.startswith("_"))
        raise LookupError(f"model: {source} has no {name!r}. It has {public or 'nothing'}.")
    made = getattr(module, name)
    # A model is callable as well: a factory is a function, or a class to be instantiated.
    if hasattr(made, "forward") and not isinstance(made, type):
        return made
    if not callable(made):
        raise ValueError(
            checks.message(
                "model",
                name,
                "be a function without arguments, a class or a model",
                type(made).__name__,
            )
        )
    return made()


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise FileNotFoundError(f"model: there is no file {path}.")
    # As ``python path/to/file.py`` does, so that the file can import its neighbours.
    _importable(path.resolve().parent)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"model: {path} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _by_name(name: str) -> ModuleType:
    # As ``python -m`` does, so that a module of the user's project is found.
    _importable(Path.cwd())
    return importlib.import_module(name)


def _importable(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
