"""Tables, samples in rows: ``.parquet``, ``.csv`` and ``.tsv``."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from visavis._core.errors import StoreFormatError
from visavis._core.extras import require
from visavis.store.readers import columns
from visavis.store.readers.contents import Contents, absent, listed

# The last is how pandas names an index without a name in a parquet file.
_IDS = ("ids", "id", "__index_level_0__")
# Rows longer than a block cannot be read, and a row may have a hundred thousand columns.
_BLOCK = 2**25


def read_parquet(path: Path, ids: str | None) -> Contents:
    """Read a table of columns that are features, or, where some hold lists, layers."""
    library = require("pyarrow.parquet", extra="io", purpose="load of .parquet")
    # Not read_table: it takes folders named a=b on the way to the file for columns.
    with library.ParquetFile(path) as file:
        table = file.read()
    _check_names(table.column_names)
    return _contents(table, path.stem, _id_column(table.column_names, ids))


def read_csv(path: Path, ids: str | None) -> Contents:
    """Read a table of features with their names on the first line."""
    library = require("pyarrow.csv", extra="io", purpose=f"load of {path.suffix}")
    arrow = require("pyarrow", extra="io", purpose=f"load of {path.suffix}")
    options = {
        "read_options": library.ReadOptions(block_size=_BLOCK),
        "parse_options": library.ParseOptions(delimiter="\t" if path.suffix == ".tsv" else ","),
    }
    with library.open_csv(path, **options) as file:
        names = file.schema.names
    _check_header(names)
    _check_names(names)
    id_column = _id_column(names, ids)
    # As text first: as a number 007 would be 7, and another sample.
    types = {id_column: arrow.string()} if id_column is not None else {}
    table = library.read_csv(
        path, convert_options=library.ConvertOptions(column_types=types), **options
    )
    if id_column is not None:
        place = names.index(id_column)
        table = table.set_column(place, id_column, columns.numbers(table.column(place)))
    return _contents(table, path.stem, id_column)


def _contents(table: Any, name: str, id_column: str | None) -> Contents:
    if not table.num_rows:
        raise StoreFormatError("it has no rows.")
    features = dict(zip(table.column_names, table.columns, strict=True))
    identities = (
        None if id_column is None else columns.identities(id_column, features.pop(id_column))
    )
    other = [each for each, column in features.items() if not columns.numeric(column)]
    if other:
        raise StoreFormatError(
            f"its columns must hold numbers, got {_described(features, other)}. If one of them "
            f"names the samples give it as in ids={other[0]!r}, and leave out the others."
        )
    arrays = {each: columns.values(each, column) for each, column in features.items()}
    if any(columns.nested(column) for column in features.values()):
        return Contents(arrays, identities)
    return Contents({name: np.column_stack(list(arrays.values()))}, identities)


def _described(features: dict[str, Any], names: list[str]) -> str:
    types = sorted({str(features[name].type) for name in names})
    return f"{', '.join(types)} in {listed(names)}"


def _id_column(names: list[str], ids: str | None) -> str | None:
    if ids is not None:
        if ids not in names or len(names) == 1:
            raise absent(ids, names, "column")
        return ids
    if len(names) == 1:
        return None
    known = {name.strip().lower(): name for name in reversed(names)}
    return next((known[each] for each in _IDS if each in known), None)


def _check_names(names: list[str]) -> None:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise StoreFormatError(f"its columns must have unique names, got {listed(repeated)} twice.")
    # An index that pandas wrote without a name is no feature; read and written again, it has one.
    unnamed = [
        place
        for place, name in enumerate(names)
        if not name.strip() or name.startswith("Unnamed: ")
    ]
    if unnamed:
        raise StoreFormatError(
            f"its columns must have names, got none for column {unnamed[0]}. If it names the "
            "samples call it ids, else leave it out; pandas writes its index so, unless told "
            "index=False or index_label='ids'."
        )


def _check_header(names: list[str]) -> None:
    if all(_is_number(name) for name in names):
        raise StoreFormatError(
            f"its first line must hold the names of the columns, got only numbers: {listed(names)}."
            " Put a line of names before the values."
        )


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True
