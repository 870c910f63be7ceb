"""Activations from HDF5 files and Zarr stores: what is read, bit by bit, and as what."""

import h5py
import numpy as np
import pytest
import zarr
from zarr.storage import ZipStore

from visavis import Activations, StoreFormatError, load

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(6, 3))
MAPS = RANDOM.normal(size=(6, 2, 4, 4)).astype("f4")


def hdf5(path, **arrays):
    with h5py.File(path, "w", track_order=True) as file:
        for name, each in arrays.items():
            file[name] = each


def hdf5_in_chunks(path, **arrays):
    with h5py.File(path, "w", libver="latest") as file:
        for name, each in arrays.items():
            options = {"chunks": True, "compression": "gzip"} if np.ndim(each) else {}
            file.create_dataset(name, data=each, **options)


def filled(store, version, arrays):
    group = zarr.open_group(store, mode="w", zarr_format=version)
    for name, each in arrays.items():
        X = np.asarray(each)
        if X.dtype.kind in "UO":
            group.create_array(name, shape=X.shape, dtype=str)[:] = X
        else:
            group.create_array(name, data=X, chunks=tuple(max(1, k // 2) for k in X.shape))


def zarr_2(path, **arrays):
    filled(path, 2, arrays)


def zarr_3(path, **arrays):
    filled(path, 3, arrays)


def zarr_zip(path, **arrays):
    with ZipStore(path, mode="w") as store:
        filled(store, 3, arrays)


WRITERS = {
    "acts.h5": hdf5,
    "acts.hdf5": hdf5_in_chunks,
    "acts.zarr": zarr_3,
    "acts_2.zarr": zarr_2,
    "acts.zarr.zip": zarr_zip,
}


@pytest.fixture(params=WRITERS.items(), ids=WRITERS)
def write(request, tmp_path):
    """Write arrays by the library of each format."""
    name, writer = request.param

    def written(**arrays):
        writer(tmp_path / name, **arrays)
        return tmp_path / name

    return written


# What is read.


def test_layers_of_any_shape(write):
    acts = load(write(fc=X, maps=MAPS, margin=X[:, 0]))
    assert isinstance(acts, Activations)
    assert set(acts) == {"fc", "maps", "margin"}
    assert acts.n == 6
    assert acts.ids is None
    np.testing.assert_array_equal(acts["fc"], X)
    np.testing.assert_array_equal(acts["maps"], MAPS)
    np.testing.assert_array_equal(acts["margin"], X[:, 0])
    assert acts["maps"].dtype == np.float32


def test_what_is_known_of_it(write):
    path = write(fc=X)
    acts = load(str(path))
    assert acts.provenance == {"name": path.stem, "file": path.name}
    assert acts.pool == "as stored"


@pytest.mark.parametrize(
    "dtype", ["f2", "f4", "f8", ">f4", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?", "c16"]
)
def test_dtypes_are_kept(write, dtype):
    values = (10 * np.abs(X)).astype(dtype)
    loaded = load(write(fc=values))["fc"]
    assert loaded.dtype.newbyteorder("=") == values.dtype.newbyteorder("=")
    np.testing.assert_array_equal(loaded, values)


def test_layers_in_groups_are_named_by_their_path(write):
    path = write(
        **{"net/block.0/conv": MAPS, "net/fc": X, "before": X, "é層": X, "ids": np.arange(6)}
    )
    acts = load(path)
    assert set(acts) == {"net/block.0/conv", "net/fc", "before", "é層"}
    np.testing.assert_array_equal(acts["net/block.0/conv"], MAPS)


def test_single_numbers_are_no_layers(write):
    assert list(load(write(fc=X, step=np.array(3.0), epoch=np.array(7)))) == ["fc"]


def test_layers_without_values_are_kept(write):
    assert load(write(fc=X, none=X[:, :0]))["none"].shape == (6, 0)


def test_no_array_at_all(write):
    with pytest.raises(StoreFormatError, match=r"samples in rows, got none at all\.$"):
        load(write())


def test_layers_that_differ_in_rows(write):
    message = r"`layers` must have the same number of rows, got 6 in 'a' and 4 in 'b'"
    with pytest.raises(StoreFormatError, match=message):
        load(write(a=X, b=X[:4]))


# Ids.


WORDS = ["img0", "b", "c", "日本", "e", "ß"]


def test_ids_in_words(write):
    acts = load(write(fc=X, ids=np.array(WORDS, dtype=object)))
    assert list(acts) == ["fc"]
    assert list(acts.ids) == WORDS


def test_ids_in_numbers(write):
    assert load(write(fc=X, ids=np.arange(6)[::-1])).ids == (5, 4, 3, 2, 1, 0)


def test_ids_under_another_name(write):
    path = write(**{"fc": X, "ids": X, "about/sample": np.array(WORDS, dtype=object)})
    acts = load(path, ids="about/sample")
    assert set(acts) == {"fc", "ids"}
    assert list(acts.ids) == WORDS


def test_ids_that_are_not_there(write):
    message = r"`ids` must name one array of several, got 'sampel' where there is 'fc', 'sample'\.$"
    with pytest.raises(StoreFormatError, match=message):
        load(write(fc=X, sample=np.arange(6)), ids="sampel")


def test_ids_that_are_a_matrix(write):
    message = r"acts.*: the ids 'ids' must be a 1-D array, got shape \(6, 3\)\.$"
    with pytest.raises(StoreFormatError, match=message):
        load(write(fc=X, ids=X))


def test_text_that_is_not_the_ids(write):
    message = r": 'names' must hold real or complex numbers, got .*\. If it names the samples give "
    with pytest.raises(StoreFormatError, match=message + r"ids='names', else leave it out\.$"):
        load(write(fc=X, names=np.array(WORDS, dtype=object)))
