"""Columns of an Arrow table as arrays; none has a missing value or a list of another length.

Whoever has a table has pyarrow, so it is imported here without asking.
"""

from typing import Any

import numpy as np

from visavis._core.errors import StoreFormatError


def nested(column: Any) -> bool:
    """Whether a column holds a list in each row."""
    return _is_list(_stored_type(column))


def numeric(column: Any) -> bool:
    """Whether a column holds numbers, or lists of them, or nothing at all."""
    from pyarrow import types

    dtype = _stored_type(column)
    while _is_list(dtype):
        dtype = dtype.value_type
    known = types.is_integer, types.is_floating, types.is_boolean, types.is_null
    return any(is_kind(dtype) for is_kind in known)


def values(name: str, column: Any) -> np.ndarray:
    """Return a column as (n,), a column of lists as (n, k), of lists of lists as (n, k, l) ..."""
    compute = _compute()
    cells, shape = _stored(column), [len(column)]
    _check_present(name, cells, shape)
    while _is_list(cells.type):
        lengths = compute.min_max(compute.list_value_length(cells)).as_py()
        if lengths["min"] != lengths["max"]:
            raise StoreFormatError(
                f"column {name!r} must hold lists of one length, got {lengths['min']} and "
                f"{lengths['max']}."
            )
        shape.append(lengths["max"])
        cells = compute.list_flatten(cells)
        _check_present(name, cells, shape)
    X = cells.to_numpy().reshape(shape)
    tensor = getattr(column.type, "shape", None)  # of Arrow's own type for tensors
    return X if tensor is None else X.reshape(len(X), *tensor)


def identities(name: str, column: Any) -> np.ndarray:
    """Return a column of ids."""
    from pyarrow import types

    cells = _stored(column)
    if types.is_dictionary(cells.type):
        cells = cells.cast(cells.type.value_type)
    if types.is_nested(cells.type):
        raise StoreFormatError(f"the ids {name!r} must be one value per row, got {cells.type}.")
    _check_present(name, cells, [len(cells)])
    return cells.to_numpy()


def numbers(column: Any) -> Any:
    """Return a column of text as integers where nothing is lost by it; an empty text is missing."""
    import pyarrow as pa

    compute = _compute()
    text = compute.if_else(compute.equal(column, ""), None, column)
    try:
        integers = text.cast(pa.int64())
    except ValueError:
        return text
    return integers if integers.cast(pa.string()).equals(text) else text


def _compute() -> Any:
    # Its functions are made when it is imported, so no checker of types knows them.
    from pyarrow import compute

    return compute


def _is_list(dtype: Any) -> bool:
    from pyarrow import types

    return types.is_list(dtype) or types.is_large_list(dtype) or types.is_fixed_size_list(dtype)


def _stored_type(column: Any) -> Any:
    return getattr(column.type, "storage_type", column.type)


def _stored(column: Any) -> Any:
    """Return a column of an extension type as what it is made of."""
    import pyarrow as pa

    dtype = column.type
    if not isinstance(dtype, pa.BaseExtensionType):
        return column
    return pa.chunked_array([chunk.storage for chunk in column.chunks], type=dtype.storage_type)


def _check_present(name: str, cells: Any, shape: list[int]) -> None:
    if not cells.null_count:
        return
    first = _compute().index(cells.is_null(), True).as_py()
    row = first // max(1, int(np.prod(shape[1:])))
    raise StoreFormatError(
        f"column {name!r} must have a value in every row, got none in row {row} "
        f"({cells.null_count} missing in all). Fill them, or drop these rows from both sides."
    )
