"""Writing whole files: a reader sees the old one or the new one."""

import os
import stat

import pytest

from visavis._core.files import atomic


def names(folder):
    return sorted(each.name for each in folder.iterdir())


def test_the_file_is_there_when_the_block_ends(tmp_path):
    path = tmp_path / "r.json"
    with atomic(path) as part:
        part.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert names(tmp_path) == ["r.json"]


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "r.json"
    path.write_text("old")
    with atomic(path) as part:
        part.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "r.json"
    path.write_text("old")

    def cut_off():
        with atomic(path) as part:
            part.write_text("ne")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        cut_off()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["r.json"]


def test_a_failure_leaves_no_file_where_there_was_none(tmp_path):
    with pytest.raises(RuntimeError, match="half way"), atomic(tmp_path / "r.json"):
        raise RuntimeError("half way")
    assert names(tmp_path) == []


def test_path_may_be_text(tmp_path):
    with atomic(str(tmp_path / "r.json")) as part:
        part.write_text("new")
    assert (tmp_path / "r.json").read_text() == "new"


def test_missing_folder_is_named_before_any_work(tmp_path):
    path = tmp_path / "nowhere" / "r.json"
    with (
        pytest.raises(FileNotFoundError, match=r"r\.json: the folder .*nowhere does not exist"),
        atomic(path),
    ):
        pytest.fail("the block ran")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_permissions_are_those_of_any_new_file(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        with atomic(tmp_path / "r.json") as part:
            part.write_text("new")
    finally:
        after = os.umask(before)
    assert stat.S_IMODE((tmp_path / "r.json").stat().st_mode) == mode
    assert after == umask
