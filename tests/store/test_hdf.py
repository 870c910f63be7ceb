"""What only HDF5 has: orders, links, values in other files, types that are not numbers."""

import h5py
import numpy as np
import pytest

from visavis import StoreFormatError, load

X = np.random.default_rng(0).normal(size=(6, 3)).astype("f4")


@pytest.fixture
def loaded(tmp_path):
    """What is loaded of a file that a function fills, which has a layer fc already."""

    def result(fill, **options):
        with h5py.File(tmp_path / "x.h5", "w", track_order=True) as file:
            file["fc"] = X
            fill(file)
        return load(tmp_path / "x.h5", **options)

    return result


@pytest.mark.parametrize(("tracked", "expected"), [(True, "zab"), (False, "abz")])
def test_order(loaded, tracked, expected):
    def fill(file):
        group = file.create_group("group", track_order=tracked)
        group["z"], group["a"], group["b"] = X, X, X

    assert list(loaded(fill)) == ["fc", *(f"group/{name}" for name in expected)]


# Links.


def test_a_link_to_another_file_is_refused(loaded, tmp_path):
    with h5py.File(tmp_path / "secret.h5", "w") as other:
        other["fc"] = X

    def fill(file):
        file["group/layer"] = h5py.ExternalLink("secret.h5", "/fc")

    message = (
        r"^load: .*x\.h5: 'group/layer' is a link into another file \(secret\.h5\), which visavis "
        r"does not follow\. Copy the values into this file\.$"
    )
    with pytest.raises(StoreFormatError, match=message):
        loaded(fill)


def test_a_soft_link_through_another_file_is_not_followed(loaded, tmp_path):
    with h5py.File(tmp_path / "secret.h5", "w") as other:
        other["fc"] = X

    def fill(file):
        file["alias"] = h5py.SoftLink("/zone/fc")
        file["zone"] = h5py.ExternalLink("secret.h5", "/")

    with pytest.raises(StoreFormatError, match=r"'zone' is a link into another file"):
        loaded(fill)


@pytest.mark.parametrize("target", ["/fc", "/nowhere", "/alias"])
def test_soft_links_are_left_out(loaded, target):
    def fill(file):
        file["alias"] = h5py.SoftLink(target)

    assert list(loaded(fill)) == ["fc"]


def test_groups_in_circles_are_walked_once(loaded):
    def fill(file):
        group = file.create_group("a")
        group["conv"] = X
        group["up"] = file
        group["self"] = group
        file["b"] = group

    assert list(loaded(fill)) == ["fc", "a/conv"]


def test_a_dataset_under_two_names_is_two_layers(loaded):
    def fill(file):
        file["tied"] = file["fc"]

    assert list(loaded(fill)) == ["fc", "tied"]


def test_a_deep_hierarchy_is_refused(loaded):
    def fill(file):
        group = file
        for _ in range(1500):
            group = group.create_group("g")

    with pytest.raises(StoreFormatError, match=r"cannot be read as \.h5: maximum recursion depth"):
        loaded(fill)


# Values in other files.


def test_raw_values_in_another_file_are_refused(loaded, tmp_path):
    secret = tmp_path / "secret.bin"
    secret.write_bytes(bytes(72))

    def fill(file):
        file.create_dataset("raw", (6, 3), "f4", external=[(str(secret), 0, 72)])

    message = r"'raw' is a dataset with its values in another file \(.*secret\.bin\), which visavis"
    with pytest.raises(StoreFormatError, match=message):
        loaded(fill)


@pytest.mark.parametrize("source", ["other.h5", "."])
def test_virtual_datasets_are_refused(loaded, source):
    def fill(file):
        layout = h5py.VirtualLayout((6, 3), "f4")
        layout[:] = h5py.VirtualSource(source, "fc", (6, 3))
        file.create_virtual_dataset("virtual", layout)

    with pytest.raises(StoreFormatError, match=r"'virtual' is a virtual dataset, made of others"):
        loaded(fill)


# Types.


def opaque(file):
    file["x"] = np.zeros(6, "V4")


def compound(file):
    file["x"] = np.zeros(6, [("a", "f4"), ("b", "i4")])


def references(file):
    file["x"] = np.array([file["fc"].ref] * 6, dtype=h5py.ref_dtype)


def ragged(file):
    file.create_dataset("x", (6,), dtype=h5py.vlen_dtype("i4"))


def times(file):
    file["x"] = np.zeros(6, "M8[D]").astype(h5py.opaque_dtype("M8[D]"))


def text(file):
    file["x"] = ["a"] * 6


def text_of_fixed_length(file):
    file["x"] = np.array([b"a"] * 6)


@pytest.mark.parametrize(
    "fill", [opaque, compound, references, ragged, times, text, text_of_fixed_length]
)
def test_what_is_no_number_is_refused(loaded, fill):
    with pytest.raises(
        StoreFormatError, match=r"x\.h5: 'x' must hold real or complex numbers, got"
    ):
        loaded(fill)


@pytest.mark.parametrize("fill", [opaque, compound, references, ragged])
def test_ids_of_no_kind(loaded, fill):
    with pytest.raises(
        StoreFormatError, match=r"x\.h5: 'x' must hold real or complex numbers, got"
    ):
        loaded(fill, ids="x")


WORDS = ["a", "b", "ß", "日本", "e", "f"]
BYTES = np.array([each.encode() for each in WORDS])


@pytest.mark.parametrize(
    "stored",
    [WORDS, BYTES, BYTES.astype(h5py.string_dtype("utf-8", 8))],
    ids=["of any length", "bytes", "of fixed length"],
)
def test_ids_in_text(loaded, stored):
    def fill(file):
        file["ids"] = stored

    assert list(loaded(fill).ids) == WORDS


def test_enumerations_are_their_numbers(loaded):
    def fill(file):
        dtype = h5py.enum_dtype({"cat": 0, "dog": 7}, "i2")
        file.create_dataset("kind", data=[0, 7] * 3, dtype=dtype)

    np.testing.assert_array_equal(loaded(fill)["kind"], [0, 7] * 3)


def test_bfloat16_becomes_float32(loaded):
    def fill(file):
        dtype = h5py.h5t.IEEE_F32LE.copy()
        dtype.set_fields(15, 7, 8, 0, 7)
        dtype.set_size(2)
        dtype.set_ebias(127)
        space = h5py.h5s.create_simple((6, 1))
        data = h5py.h5d.create(file.id, b"half", dtype, space)
        data.write(h5py.h5s.ALL, h5py.h5s.ALL, np.full((6, 1), -1.5, "f4"))

    half = loaded(fill)["half"]
    assert half.dtype == np.float32
    np.testing.assert_array_equal(half, np.full((6, 1), -1.5))


def test_nothing_and_named_types_are_left_out(loaded):
    def fill(file):
        file["empty"] = h5py.Empty("f4")
        file["type"] = np.dtype("f4")

    assert list(loaded(fill)) == ["fc"]


def test_more_values_than_memory(loaded):
    def fill(file):
        file.create_dataset("huge", (10**9, 10**7), "f8", chunks=(1000, 10))

    with pytest.raises(StoreFormatError, match=r"cannot be read as \.h5: Unable to allocate"):
        loaded(fill)
