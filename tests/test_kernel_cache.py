"""Compiled kernels are never those of other sources."""

import subprocess
import sys
from pathlib import Path

import pytest

from cvxar import kernel_cache, kernels

drop_stale = kernel_cache.drop_stale.__wrapped__  # each call works, not only the first of a process


def test_compiled_kernels_are_dropped_when_a_source_has_changed(tmp_path, monkeypatch):
    old = [tmp_path / "kernels.factor-90.py311.nbi", tmp_path / "kernel_rounds.search-1.py311.1.nbc"]
    other = tmp_path / "model.cpython-311.pyc"
    for file in (*old, other):
        file.write_text("compiled")
    drop_stale(tmp_path)
    assert not any(file.exists() for file in old)
    assert other.exists()
    old[0].write_text("compiled")
    drop_stale(tmp_path)
    assert old[0].exists()
    monkeypatch.setattr(kernel_cache, "_stamp", lambda: "other sources")
    drop_stale(tmp_path)
    assert not old[0].exists()


def test_the_stamp_is_that_of_every_kernel(tmp_path, monkeypatch):
    before = kernel_cache._stamp()
    package = Path(kernel_cache.__file__).parent
    for file in package.glob(kernel_cache.SOURCES):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(kernel_cache, "__file__", str(tmp_path / "kernel_cache.py"))
    assert kernel_cache._stamp() == before
    with (tmp_path / "kernel_settle.py").open("a") as file:
        file.write("# changed")
    assert kernel_cache._stamp() != before


def test_kernels_that_cannot_be_removed_give_a_warning(tmp_path):
    nowhere = tmp_path / "file"
    nowhere.write_text("")
    with pytest.warns(UserWarning, match="another version of cvxar"):
        drop_stale(nowhere / "below")


def test_the_folder_of_the_kernels_is_stamped():
    folder = Path(kernels.factor.stats.cache_path)
    assert (folder / kernel_cache.STAMP).read_text() == kernel_cache._stamp()


def test_every_kernel_is_compiled_by_the_decorator():
    package = Path(kernel_cache.__file__).parent
    for file in package.glob("*.py"):
        assert file.name == "kernel_cache.py" or "njit" not in file.read_text()


def test_a_changed_kernel_takes_effect_in_those_that_call_it(tmp_path):
    """The trap: numba alone would go on with the old callee."""
    package = Path(kernel_cache.__file__).parent
    for name, text in {
        "kernel_cache.py": (package / "kernel_cache.py").read_text(),
        "kernel_a.py": "from kernel_cache import compiled\n@compiled\ndef one():\n    return 1\n",
        "kernel_b.py": "from kernel_cache import compiled\nfrom kernel_a import one\n@compiled\ndef two():\n"
        "    return 2 * one()\nprint(two())\n",
    }.items():
        (tmp_path / name).write_text(text)

    def answer() -> str:
        command = [sys.executable, str(tmp_path / "kernel_b.py")]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert answer() == "2"
    source = tmp_path / "kernel_a.py"
    source.write_text(source.read_text().replace("return 1", "return 10"))
    assert answer() == "20"
