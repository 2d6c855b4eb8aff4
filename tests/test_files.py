"""Files are written completely or not at all, and refused before work."""

import os
import stat

import pytest

from cvxar.errors import InputError
from cvxar.files import check_writable, write_atomically


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("old")

    def half(path):
        path.write_text("ha")
        raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        write_atomically(file, half)
    assert file.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_file_gets_the_usual_permissions_and_its_link_is_followed(tmp_path):
    plain, target, link = tmp_path / "plain", tmp_path / "target", tmp_path / "link"
    plain.write_text("x")
    target.write_text("old")
    link.symlink_to(target)
    check_writable(link)
    write_atomically(link, lambda path: path.write_text("new"))
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_a_device_is_written_to_and_stays_a_device():
    check_writable("/dev/null")
    write_atomically("/dev/null", lambda path: path.write_text("gone"))
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@pytest.mark.parametrize("name", [".", "no/such/folder/a.json", "file/a.json"])
def test_an_unwritable_path_is_refused_and_nothing_is_left(tmp_path, name):
    (tmp_path / "file").write_text("not a folder")
    for refuse in (check_writable, lambda path: write_atomically(path, lambda file: file.write_text("x"))):
        with pytest.raises(InputError, match="cannot write"):
            refuse(tmp_path / name)
    assert os.listdir(tmp_path) == ["file"]
