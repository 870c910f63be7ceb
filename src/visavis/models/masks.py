"""Masks: which tokens of a batch are content, so that padding is never part of a row."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from visavis._core import array, checks
from visavis._core.types import Array

# What the tokenizers of the field call them. 1 is content.
_ENCODER, _DECODER = "attention_mask", "decoder_attention_mask"
# This one is for the reader of the tokens: no model takes it.
SPECIAL = "special_tokens_mask"
GRAPH = "batch"


@dataclass(frozen=True)
class Masks:
    """The token masks of one batch, on the host, each (n, t) and true where a token is content.

    Parameters
    ----------
    encoder, decoder, special : ndarray or None
        ``attention_mask`` and ``decoder_attention_mask`` of the batch, and the tokens that are not
        marked by ``special_tokens_mask``.
    graph : ndarray or None, (nodes,)
        Which graph of the batch each node is of: ``batch``, as PyTorch Geometric calls it.
    """

    encoder: np.ndarray | None = None
    decoder: np.ndarray | None = None
    special: np.ndarray | None = None
    graph: np.ndarray | None = None

    @classmethod
    def of(cls, batch: Mapping[str, Any]) -> "Masks":
        """Return the masks that a batch holds."""
        special = _flat(batch.get(SPECIAL))
        return cls(
            _flat(batch.get(_ENCODER)),
            _flat(batch.get(_DECODER)),
            None if special is None else ~special,
            _owners(batch.get(GRAPH)),
        )

    def graphs(self, where: str) -> np.ndarray:
        """Return which graph each node is of; ValueError if the batch does not say so."""
        if self.graph is None:
            raise ValueError(
                checks.message(
                    where,
                    "loader",
                    f"say which graph each node is of, as {GRAPH!r} in a mapping, for "
                    "pool='graph-mean'",
                    "a batch without",
                    "As PyTorch Geometric has it: one whole number per node, from 0.",
                )
            )
        return self.graph

    def tokens(self, output: Array, layer: str, *, special: bool) -> np.ndarray:
        """Return which tokens of `output` (n, t, d) are content, (n, t).

        Parameters
        ----------
        output : array
            What a layer gave.
        layer : str
            Its name: parts of a decoder have the decoder's mask, or none.
        special : bool
            Whether special tokens count, where the batch says which these are.
        """
        n, t = int(output.shape[0]), int(output.shape[1])
        in_decoder = "decoder" in re.split(r"[./]", layer)
        mask = self.decoder if in_decoder and self.decoder is not None else self.encoder
        if mask is None or (in_decoder and self.decoder is None and mask.shape != (n, t)):
            mask = np.ones((n, t), dtype=bool)
        if mask.shape != (n, t):
            raise ValueError(
                checks.message(
                    "extract",
                    "pool",
                    f"find one mask entry per token of `{layer}`, ({n}, {t})",
                    f"an attention mask of shape {mask.shape}",
                    "The layer adds or drops tokens: pool it with a callable (output, layer).",
                )
            )
        if not special and self.special is not None and self.special.shape == (n, t):
            mask = mask & self.special
        return mask


def _owners(value: Any) -> np.ndarray | None:
    if not array.is_array(value) or value.ndim != 1 or "int" not in array.dtype_name(value):
        return None
    return array.to_numpy(value)


def _flat(mask: Any) -> np.ndarray | None:
    if mask is None:
        return None
    values = array.to_numpy(mask) if array.is_array(mask) else np.asarray(mask)
    return values.astype(bool) if values.ndim == 2 else None
