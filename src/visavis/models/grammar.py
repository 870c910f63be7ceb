"""The grammar of MODEL and DATA: what a command line can name."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from visavis import store
from visavis._core import checks
from visavis._core.extras import require
from visavis.models import data
from visavis.models.factory import from_factory
from visavis.models.frameworks import is_onnx

MODEL_FORMS = "path/to/file.py:factory, package.module:factory, hf:ID, timm:NAME or a .onnx file"
DATA_FORMS = (
    "an array file, a .txt or .jsonl of texts, a folder of images, or package.module:factory"
)


@dataclass(frozen=True)
class Samples:
    """What a model is run on.

    Parameters
    ----------
    loader : iterable of batches, array, or mapping of arrays
        See `visavis.extract`.
    ids : str, sequence, callable or None
        See `visavis.extract`.
    n : int or None
        Number of samples, where it is known.
    """

    loader: Any
    ids: Any = None
    n: int | None = None


def model(text: str) -> Any:
    """Return the model that `text` names; **a factory's code is run**.

    Parameters
    ----------
    text : str
        ``path/to/file.py:factory``, ``package.module:factory``, ``hf:ID`` (a model of
        ``transformers`` by its name or folder), ``timm:NAME``, or the path of an ``.onnx`` file.
    """
    kind, _, name = text.partition(":")
    if kind == "hf" and name:
        require("transformers", extra="hf", purpose="a model hf:ID")
        import transformers
        from transformers import AutoModel

        if not sys.stderr.isatty():
            transformers.utils.logging.disable_progress_bar()
        return AutoModel.from_pretrained(name)
    if kind == "timm" and name:
        require("timm", extra="timm", purpose="a model timm:NAME")
        import timm  # pyright: ignore[reportMissingImports]

        return timm.create_model(name, pretrained=True)
    if is_onnx(text):
        if not Path(text).is_file():
            raise FileNotFoundError(f"model: there is no file {text}.")
        return text
    return from_factory(text)


def tokenizer(text: str) -> Any:
    """Return the tokenizer of ``hf:ID``, or of a name or folder of ``transformers``."""
    require("transformers", extra="hf", purpose="texts as data")
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(text.removeprefix("hf:"))


def samples(
    text: str,
    *,
    tokenizer: Callable[[], Any],
    batch_size: int,
    image_size: int = 224,
    max_length: int | None = None,
) -> Samples:
    """Return the samples that `text` names; **a factory's code is run**.

    Parameters
    ----------
    text : str
        An array file (its only array is the model's input, several are its named arguments; one
        called ``ids`` says who the samples are), a ``.txt`` or ``.jsonl`` of texts, a folder of
        images, or ``package.module:factory`` of a loader.
    tokenizer : callable
        Gives the tokenizer, asked only for texts.
    batch_size, image_size, max_length
        See `Texts` and `Images`.
    """
    path = Path(text)
    if path.suffix in data.TEXT_SUFFIXES:
        if not path.is_file():
            raise FileNotFoundError(f"data: there is no file {text}.")
        found = data.texts(path, tokenizer(), batch_size=batch_size, max_length=max_length)
        return Samples(found, data.ID, found.samples)
    if path.suffix in store.SUFFIXES:
        arrays = store.load(text)
        loader: Any = dict(arrays) if len(arrays) > 1 else next(iter(arrays.values()))
        return Samples(loader, arrays.ids, arrays.n)
    if path.is_dir():
        pictures = data.images(path, size=image_size, batch_size=batch_size)
        return Samples(pictures, lambda batch: batch[1], pictures.samples)
    if ":" not in text:
        raise ValueError(checks.message("data", "DATA", f"be {DATA_FORMS}", repr(text)))
    loader = from_factory(text)
    n = None
    if isinstance(loader, Mapping):
        n = len(next(iter(loader.values())))
    elif hasattr(loader, "dataset"):
        n = len(loader.dataset) if hasattr(loader.dataset, "__len__") else None
    elif hasattr(loader, "shape"):
        n = int(loader.shape[0])
    return Samples(loader, None, n)
