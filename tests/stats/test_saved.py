"""States on disk: what comes back is what was saved, and nothing else is taken for one."""

import json

import array_api_strict
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import safetensors.numpy
import torch
from tests.backends.libraries import LIBRARIES, same_home
from tests.data_makers import related
from tests.measures.records import allowing
from tests.stats.streams import every_streamed, settling_every, stream, streamed

import visavis as vv

X, Y = related(n=60, p=4, q=3)
EMPTY = vv.Moments.empty()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.safetensors"


@every_streamed
def test_round_trip(measure, path):
    state = stream(X, Y, 7)
    measure = allowing(measure)
    loaded = vv.Moments.load(state.save(path))
    assert (loaded.n, loaded.widths, loaded.dtypes) == (60, (4, 3), state.dtypes)
    assert float(streamed(measure, loaded)) == float(streamed(measure, state))


@pytest.mark.parametrize("waiting", [1, 512])
@every_streamed
def test_loaded_state_goes_on(measure, waiting, path):
    measure = allowing(measure)
    with settling_every(waiting):
        vv.Moments.load(stream(X[:25], Y[:25], 7).save(path))
        loaded = vv.Moments.load(path)
        state = loaded.update(X[25:40], Y[25:40]).merge(EMPTY.update(X[40:], Y[40:]))
    expected = float(measure(X, Y))
    assert float(streamed(measure, state)) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("scale", [1e-150, 1.0, 1e150])
def test_scale_comes_back(scale, path):
    loaded = vv.Moments.load(stream(scale * X, Y / scale, 7).save(path)).update(
        scale * X, Y / scale
    )
    assert float(loaded.cka()) == pytest.approx(
        float(vv.cka(np.vstack([X, X]), np.vstack([Y, Y]))), rel=1e-10
    )


def test_three_representations(path):
    Z = X[:, :2] * Y[:, :2]
    loaded = vv.Moments.load(EMPTY.update(X, Y, Z).save(path))
    assert float(loaded.cka(between=(2, 0))) == pytest.approx(float(vv.cka(Z, X)), rel=1e-12)


def test_nothing_seen(path):
    loaded = vv.Moments.load(EMPTY.save(path))
    assert (loaded.n, loaded.widths) == (0, ())
    assert float(loaded.update(X, Y).cka()) == float(EMPTY.update(X, Y).cka())


@pytest.mark.parametrize("library", ["array_api_strict", "torch"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_saved_by_one_library_and_loaded_for_it(library, dtype, path):
    A, B = (LIBRARIES[library].array(each.astype(dtype)) for each in (X, Y))
    state = stream(A, B, 7)
    loaded = vv.Moments.load(state.save(path), like=A)
    assert same_home(loaded.cka(), A)
    assert float(loaded.cka()) == float(state.cka())
    assert loaded.update(A, B).n == 120


@pytest.mark.parametrize(
    "like",
    [
        torch.zeros(1),
        torch.zeros(1, dtype=torch.float16),
        array_api_strict.zeros(1),
        np.zeros(1, np.float32),
    ],
    ids=["torch", "torch half", "strict", "numpy"],
)
def test_loaded_into_another_library(like, path):
    loaded = vv.Moments.load(stream(X, Y, 7).save(path), like=like)
    assert type(loaded.cka()) is type(like)
    assert float(loaded.cka()) == pytest.approx(float(vv.cka(X, Y)), rel=1e-12)


@pytest.mark.parametrize(("x64", "rel"), [(True, 1e-12), (False, 1e-6)])
def test_loaded_into_jax(x64, rel, path):
    # Without x64 there is no float64 to put it in: float32 has to do.
    stream(X, Y, 7).save(path)
    with jax.enable_x64(x64):
        loaded = vv.Moments.load(path, like=jnp.zeros(1))
        answer = loaded.cka()
        assert answer.dtype == ("float64" if x64 else "float32")
    assert float(answer) == pytest.approx(float(vv.cka(X, Y)), rel=rel)


def test_path_as_text(path):
    assert EMPTY.update(X, Y).save(str(path)) == path
    assert vv.Moments.load(str(path)).n == 60


def test_no_file(path):
    with pytest.raises(FileNotFoundError, match=r"state\.safetensors"):
        vv.Moments.load(path)


def test_no_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"folder .*nowhere does not exist\. Create it"):
        EMPTY.update(X, Y).save(tmp_path / "nowhere" / "state.safetensors")


def changed(path, kind="visavis.moments", version="1", header=None, drop=(), replace=None):
    """Rewrite a saved state with a part of it changed."""
    with safetensors.safe_open(path, "numpy") as file:
        metadata = dict(file.metadata())
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    metadata |= {"kind": kind, "format": version}
    if header is not None:
        metadata["state"] = header
    tensors = {name: each for name, each in tensors.items() if not name.startswith(drop or "-")}
    safetensors.numpy.save_file(tensors | (replace or {}), path, metadata)


@pytest.mark.parametrize("keep", [0, 5, 100, -1, -8])
def test_cut_off(keep, path):
    content = stream(X, Y, 7).save(path).read_bytes()
    path.write_bytes(content[:keep])
    with pytest.raises(vv.StoreFormatError, match=r"state\.safetensors is not a readable"):
        vv.Moments.load(path)


def test_no_safetensors(path):
    path.write_bytes(b"PK\x03\x04 something else altogether")
    with pytest.raises(vv.StoreFormatError, match=r"state\.safetensors is not a readable"):
        vv.Moments.load(path)


def test_of_someone_else(path):
    safetensors.numpy.save_file({"weight": X}, path)
    with pytest.raises(vv.StoreFormatError, match=r"state\.safetensors is not a saved Moments"):
        vv.Moments.load(path)


@pytest.mark.parametrize("change", [{"kind": "visavis.activations"}, {"version": "99"}])
def test_of_another_kind_or_format(change, path):
    stream(X, Y, 7).save(path)
    changed(path, **change)
    with pytest.raises(
        vv.StoreFormatError, match=r"not a saved Moments of format 1: .*(99|activat)"
    ):
        vv.Moments.load(path)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "{",
        "[1]",
        "{}",
        json.dumps({"n": 60}),
        json.dumps({"n": "sixty", "dtypes": ["float64", "float64"]}),
        json.dumps({"n": -1, "dtypes": ["float64", "float64"]}),
        json.dumps({"n": 60, "dtypes": ["float64"]}),
        json.dumps({"n": 60, "dtypes": ["__class__", "float64"]}),
    ],
)
def test_header_that_is_no_state(header, path):
    stream(X, Y, 7).save(path)
    changed(path, header=header)
    with pytest.raises(vv.StoreFormatError, match=r"state\.safetensors"):
        vv.Moments.load(path)


@pytest.mark.parametrize(
    "name", ["reference", "unit.1", "first", "second", "second.0.1", "third.1.0", "fourth.0.0"]
)
def test_part_that_is_missing(name, path):
    stream(X, Y, 7).save(path)
    changed(path, drop=name)
    with pytest.raises(vv.StoreFormatError, match=r"state\.safetensors"):
        vv.Moments.load(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("second.0.1", np.zeros((4, 2))),
        ("second.0.0", np.zeros((3, 3))),
        ("first.1", np.zeros(5)),
        ("fourth.0.1", np.zeros(2)),
        ("second.0.9", np.zeros((4, 3))),
        ("surprise", np.zeros(1)),
    ],
)
def test_part_of_another_shape(name, value, path):
    stream(X, Y, 7).save(path)
    changed(path, replace={name: value})
    with pytest.raises(vv.StoreFormatError, match=r"state\.safetensors"):
        vv.Moments.load(path)


def test_failed_save_leaves_the_old_file(path, monkeypatch):
    state = EMPTY.update(X, Y)
    before = state.save(path).read_bytes()

    def full_disk(tensors, file, metadata):
        file.write_bytes(b"half of")
        raise OSError("no space left")

    monkeypatch.setattr(safetensors.numpy, "save_file", full_disk)
    with pytest.raises(OSError, match="no space left"):
        state.update(X, Y).save(path)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_save_replaces_the_old_file(path):
    EMPTY.update(X, Y).save(path)
    EMPTY.update(X, Y).update(X, Y).save(path)
    assert vv.Moments.load(path).n == 120
    assert [each.name for each in path.parent.iterdir()] == [path.name]
