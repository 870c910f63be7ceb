"""Activations from tables: columns as features, columns of lists as layers, a column of ids."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from visavis import StoreFormatError, load

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(6, 3))
WORDS = ["img0", "b", "c", "日本", "NA", "ß"]


@pytest.fixture
def stored(tmp_path):
    """Write columns to acts.parquet."""

    def written(**columns):
        parquet.write_table(pa.table(columns), tmp_path / "acts.parquet")
        return tmp_path / "acts.parquet"

    return written


@pytest.fixture
def text(tmp_path):
    """Write text to a file."""

    def written(content, name="acts.csv"):
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return written


def fixed(values, k):
    return pa.FixedSizeListArray.from_arrays(pa.array(values), k)


# Flat tables.


def test_columns_are_the_features_of_one_layer(stored):
    acts = load(stored(z=X[:, 0], a=X[:, 1], b=X[:, 2]))
    assert list(acts) == ["acts"]
    assert acts.ids is None
    assert acts.provenance == {"name": "acts", "file": "acts.parquet"}
    np.testing.assert_array_equal(acts["acts"], X)


def test_text_is_read_bit_by_bit(text):
    lines = [",".join(map(repr, row)) for row in X.tolist()]
    acts = load(text("z,a,é\n" + "\n".join(lines)))
    assert list(acts) == ["acts"]
    np.testing.assert_array_equal(acts["acts"], X)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a byte order mark"])
def test_tabs(text, start, end):
    lines = ["a\tb", "1\t2.5", "3\t-1e3", ""]
    path = text(start + end.join(lines).encode(), "x.tsv")
    np.testing.assert_array_equal(load(path)["x"], [[1, 2.5], [3, -1000]])


def test_quotes(text):
    path = text('"a,b","c ""d"""\n"1",2\n3,4\n')
    np.testing.assert_array_equal(load(path)["acts"], [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    "dtype", ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"]
)
def test_dtypes_of_parquet_are_kept(stored, dtype):
    values = (10 * np.abs(X)).astype(dtype)
    loaded = load(stored(a=values[:, 0], b=values[:, 1]))["acts"]
    assert loaded.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(loaded, values[:, :2])


@pytest.mark.parametrize(
    ("content", "dtype"),
    [("a,b\n1,2\n", "i8"), ("a,b\n1,2.0\n", "f8"), ("a,b\ntrue,false\n", "?"), ("a\ninf\n", "f8")],
)
def test_dtypes_of_text(text, content, dtype):
    assert load(text(content))["acts"].dtype == np.dtype(dtype)


def test_a_line_of_many_letters(text):
    # Longer than what pyarrow reads at a time, as with a hundred thousand columns.
    header = ",".join(f"{i:01000d}" for i in range(3000))
    assert load(text(f"id,{header}\n{'1,' * 3000}1\n"))["acts"].shape == (1, 3000)


def test_a_table_in_several_pieces(tmp_path):
    path = tmp_path / "acts.parquet"
    table = pa.table({"id": WORDS, "fc": fixed(X.ravel(), 3), "maps": X.tolist()})
    parquet.write_table(table, path, row_group_size=2)
    acts = load(path)
    assert list(acts.ids) == WORDS
    np.testing.assert_array_equal(acts["fc"], X)
    np.testing.assert_array_equal(acts["maps"], X)


def test_folders_are_no_columns(tmp_path):
    folder = tmp_path / "seed=1"
    folder.mkdir()
    parquet.write_table(pa.table({"a": X[:, 0]}), folder / "acts.parquet")
    assert load(folder / "acts.parquet")["acts"].shape == (6, 1)


# Lists.


def test_columns_of_lists_are_layers(stored):
    maps = RANDOM.normal(size=(6, 2, 4)).astype("f4")
    acts = load(
        stored(
            ids=WORDS,
            conv=maps.tolist(),
            fc=fixed(X.astype("f2").ravel(), 3),
            é=pa.array(X.tolist(), pa.large_list(pa.float32())),
            margin=X[:, 0],
        )
    )
    assert list(acts) == ["conv", "fc", "é", "margin"]
    assert list(acts.ids) == WORDS
    np.testing.assert_array_equal(acts["conv"], maps)
    assert acts["fc"].dtype == np.float16
    np.testing.assert_array_equal(acts["fc"], X.astype("f2"))
    assert acts["é"].dtype == np.float32
    np.testing.assert_array_equal(acts["é"], X.astype("f4"))
    np.testing.assert_array_equal(acts["margin"], X[:, 0])


def test_lists_of_truth_values(stored):
    np.testing.assert_array_equal(load(stored(on=fixed(X.ravel() > 0, 3)))["on"], X > 0)


def test_tensors(stored):
    maps = RANDOM.normal(size=(6, 2, 4, 3)).astype("f4")
    acts = load(stored(conv=pa.FixedShapeTensorArray.from_numpy_ndarray(maps)))
    np.testing.assert_array_equal(acts["conv"], maps)


def test_lists_of_other_lengths(stored):
    message = r"acts\.parquet: column 'fc' must hold lists of one length, got 1 and 3\.$"
    with pytest.raises(StoreFormatError, match=message):
        load(stored(fc=[[1.0, 2.0], [3.0], [4.0, 5.0, 6.0]]))


@pytest.mark.parametrize(
    "lists",
    [
        [[1.0, 2.0], [3.0, 4.0], [5.0, None]],
        [[1.0, 2.0], [3.0, 4.0], None],
        [[[1.0], [2.0]], [[3.0], [4.0]], [[5.0], None]],
        [[[1.0], [2.0]], [[3.0], [4.0]], [[5.0], [None]]],
    ],
)
def test_lists_with_missing_values(stored, lists):
    message = (
        r"acts\.parquet: column 'fc' must have a value in every row, got none in row 2 "
        r"\(1 missing in all\)\. Fill them, or drop these rows from both sides\.$"
    )
    with pytest.raises(StoreFormatError, match=message):
        load(stored(fc=lists))


def test_empty_lists(stored):
    assert load(stored(fc=pa.array([[], []], pa.list_(pa.float32()))))["fc"].shape == (2, 0)


# Ids.


@pytest.mark.parametrize("name", ["ids", "id", "ID", " id", "__index_level_0__"])
def test_columns_that_are_ids_by_their_name(stored, name):
    acts = load(stored(**{"a": X[:, 0], name: WORDS, "b": X[:, 1]}))
    assert list(acts.ids) == WORDS
    np.testing.assert_array_equal(acts["acts"], X[:, :2])


def test_ids_come_before_id(stored):
    acts = load(stored(id=np.arange(6), ids=WORDS))
    assert list(acts.ids) == WORDS
    np.testing.assert_array_equal(acts["acts"], np.arange(6)[:, None])


def test_ids_by_name(stored, text):
    columns = {"id": np.arange(6.0), "sample": WORDS}
    assert list(load(stored(**columns), ids="sample").ids) == WORDS
    lines = [f"{number},{word}" for number, word in zip(range(6), WORDS, strict=True)]
    acts = load(text("\n".join(["id,sample", *lines])), ids="sample")
    assert list(acts.ids) == WORDS
    np.testing.assert_array_equal(acts["acts"], np.arange(6)[:, None])


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (np.arange(6)[::-1], [5, 4, 3, 2, 1, 0]),
        (pa.array(WORDS, pa.large_string()), WORDS),
        (pa.array(WORDS).dictionary_encode(), WORDS),
        (pa.array([each.encode() for each in WORDS]), WORDS),
    ],
    ids=["int64", "large", "categories", "bytes"],
)
def test_kinds_of_ids(stored, column, expected):
    assert list(load(stored(ids=column, a=X[:, 0])).ids) == expected


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["3", "1", "-2"], (3, 1, -2)),
        (["007", "7", "1"], ("007", "7", "1")),
        (["1.0", "2", "3"], ("1.0", "2", "3")),
        (["a", "NA", "nan"], ("a", "NA", "nan")),
        (["99999999999999999999", "1", "2"], ("99999999999999999999", "1", "2")),
        (["2020-01-01", "true", "null"], ("2020-01-01", "true", "null")),
    ],
)
def test_ids_of_text_are_not_changed(text, cells, expected):
    rows = [f"{cell},{i}" for i, cell in enumerate(cells)]
    assert load(text("\n".join(["id,a", *rows, ""]))).ids == expected


def test_a_table_that_pandas_wrote_with_its_index(tmp_path):
    frame = pd.DataFrame({"a": X[:, 0]}, index=[3, 1, 4, 0, 5, 9])
    frame.to_parquet(tmp_path / "acts.parquet")
    frame.to_csv(tmp_path / "acts.csv", index_label="ids")
    assert load(tmp_path / "acts.parquet").ids == (3, 1, 4, 0, 5, 9)
    assert load(tmp_path / "acts.csv").ids == (3, 1, 4, 0, 5, 9)


def test_an_index_that_pandas_did_not_name(tmp_path):
    path = tmp_path / "acts.csv"
    pd.DataFrame({"a": X[:, 0]}).to_csv(path)
    message = (
        r"acts\.csv: its columns must have names, got none for column 0\. If it names the samples "
        r"call it ids, else leave it out; pandas writes its index so, unless told index=False or "
        r"index_label='ids'\.$"
    )
    with pytest.raises(StoreFormatError, match=message):
        load(path)
    pd.read_csv(path).to_csv(path, index=False)
    with pytest.raises(StoreFormatError, match=message):
        load(path)


@pytest.mark.parametrize("ids", ["sampel", ""])
def test_ids_that_are_not_there(stored, text, ids):
    message = rf"`ids` must name one column of several, got '{ids}' where there is 'a', 'b'\.$"
    with pytest.raises(StoreFormatError, match=message):
        load(stored(a=X[:, 0], b=X[:, 1]), ids=ids)
    with pytest.raises(StoreFormatError, match=message):
        load(text("a,b\n1,2\n"), ids=ids)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([1, 2, None], r"column 'ids' must have a value in every row, got none in row 2 \(1 mis"),
        ([[1], [2], [3]], r"the ids 'ids' must be one value per row, got list<\w+: int64>\.$"),
        (["a", "b", "a"], r"`ids` must be unique, got 'a' 2 times"),
    ],
    ids=["missing", "lists", "repeated"],
)
def test_ids_that_cannot_be_used(stored, ids, message):
    with pytest.raises(StoreFormatError, match=rf"^load: .*acts\.parquet: {message}"):
        load(stored(ids=ids, a=[1.0, 2.0, 3.0]))


def test_an_empty_id(text):
    with pytest.raises(StoreFormatError, match=r"column 'ids' must have a value .* in row 1 \("):
        load(text("ids,a\nx,1\n,2\n"))


def test_a_column_of_ids_alone_is_a_layer(stored):
    acts = load(stored(ids=np.arange(6)))
    assert acts.ids is None
    assert acts["acts"].shape == (6, 1)


# What is no number, or missing.


def test_columns_of_text(stored, text):
    cure = r"If one of them names the samples give it as in ids='name', and leave out the others\.$"
    message = r"its columns must hold numbers, got string in 'name', 'split'\. " + cure
    columns = {"name": WORDS, "a": X[:, 0], "split": WORDS}
    with pytest.raises(StoreFormatError, match=message):
        load(stored(**columns))
    with pytest.raises(StoreFormatError, match=message):
        load(text("name,a,split\nx,1,train\ny,2,test\n"))


def test_many_columns_of_text(stored):
    columns = {f"c{i}": WORDS for i in range(20)}
    with pytest.raises(StoreFormatError, match=r"string in 'c0', .* 'c7' and 12 more\. If one"):
        load(stored(**columns))


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["a", "b"]),
        pa.array(["a", "b"]).dictionary_encode(),
        pa.array([1, 2], pa.timestamp("s")),
        pa.array([1, 2], pa.decimal128(5)),
        pa.array([{"x": 1}, {"x": 2}]),
        pa.array([[("k", 1)], [("k", 2)]], pa.map_(pa.string(), pa.int64())),
        pa.array([["a"], ["b"]]),
        pa.array([b"a", b"b"]),
    ],
    ids=lambda column: str(column.type),
)
def test_types_that_are_no_numbers(stored, column):
    with pytest.raises(StoreFormatError, match=r"its columns must hold numbers, got .* in 'x'\."):
        load(stored(a=[1.0, 2.0], x=column))


@pytest.mark.parametrize("cell", ["", "NaN", "nan", "NA", "null"])
def test_missing_values(text, cell):
    message = (
        r"^load: .*acts\.csv: column 'b' must have a value in every row, got none in row 1 "
        r"\(2 missing in all\)\. Fill them, or drop these rows from both sides\.$"
    )
    with pytest.raises(StoreFormatError, match=message):
        load(text(f"a,b\n1,2\n3,{cell}\n5,6\n7,{cell}\n"))


def test_missing_values_of_parquet(stored):
    with pytest.raises(
        StoreFormatError, match=r"column 'b' must have a value .* none in row 3 \(2"
    ):
        load(stored(a=X[:5, 0], b=[1, 2, 3, None, None]))


def test_not_a_number_is_a_value_of_parquet(stored):
    assert np.isnan(load(stored(a=[1.0, np.nan, 2.0]))["acts"][1, 0])


def test_a_column_of_nothing(stored, text):
    with pytest.raises(StoreFormatError, match=r"column 'b' must have a value .* in row 0 \(2 mis"):
        load(text("a,b\n1,\n2,\n"))
    with pytest.raises(StoreFormatError, match=r"column 'b' must have a value .* in row 0 \(2 mis"):
        load(stored(a=[1, 2], b=pa.nulls(2)))


# Headers.


@pytest.mark.parametrize("line", ["1,2", "0.5,-1e3", "nan,1", '"1","2"'])
def test_a_file_without_names(text, line):
    message = (
        r"^load: .*acts\.csv: its first line must hold the names of the columns, got only numbers: "
        r"'.*'\. Put a line of names before the values\.$"
    )
    with pytest.raises(StoreFormatError, match=message):
        load(text(f"{line}\n3,4\n"))


def test_names_twice(stored, text, tmp_path):
    message = r"its columns must have unique names, got 'a' twice\.$"
    with pytest.raises(StoreFormatError, match=message):
        load(text("a,b,a\n1,2,3\n"))
    parquet.write_table(pa.table([X[:, 0], X[:, 1]], names=["a", "a"]), tmp_path / "x.parquet")
    with pytest.raises(StoreFormatError, match=message):
        load(tmp_path / "x.parquet")


@pytest.mark.parametrize("content", ["a,b\n", "a,b", "a,b\n\n\n"])
def test_a_table_without_rows(stored, text, content):
    with pytest.raises(StoreFormatError, match=r"^load: .*acts\.csv"):
        load(text(content))
    with pytest.raises(StoreFormatError, match=r"acts\.parquet: it has no rows\.$"):
        load(stored(a=X[:0, 0]))


def test_a_table_without_columns(stored):
    with pytest.raises(StoreFormatError, match=r"acts\.parquet: it has no rows\.$"):
        load(stored())


@pytest.mark.parametrize(
    "content",
    ["a,b\n1,2\n3\n", "a,b\n1,2,3\n", "a;b\n1;2\n", 'a,b\n1,"2\n', "a,b\n1,2 3\n", "a,b\n1,=1+1\n"],
)
def test_lines_that_do_not_fit(text, content):
    with pytest.raises(StoreFormatError, match=r"^load: .*acts\.csv"):
        load(text(content))


def test_an_encoding_that_is_not_read(text):
    with pytest.raises(StoreFormatError, match=r"^load: .*acts\.csv"):
        load(text("a,b\n1,2\n".encode("utf-16")))
    with pytest.raises(StoreFormatError, match=r"^load: .*acts\.csv"):
        load(text("a,é\n1,2\n".encode("latin-1")))
