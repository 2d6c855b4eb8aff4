"""Writing files: complete or not at all, and refused before the work that fills them."""

import os
import tempfile
from collections.abc import Callable
from os import PathLike
from pathlib import Path

from cvxar.errors import InputError


def check_writable(path: str | PathLike[str]) -> None:
    """Raise unless a file can be written at ``path``; nothing is left there.

    Raises
    ------
    InputError
        The folder does not exist or cannot be written to, or the path is a folder.

    Examples
    --------
    >>> check_writable("no/such/folder/result.json")
    Traceback (most recent call last):
        ...
    cvxar.errors.InputError: cannot write no/such/folder/result.json: No such file or directory; ...
    """
    target = _target(path)
    try:
        if target.is_dir():
            raise IsADirectoryError(None, "Is a directory")
        if _is_device(target):
            with target.open("ab"):
                return
        with tempfile.TemporaryFile(dir=target.parent):
            return
    except OSError as error:
        raise _cannot_write(path, error) from error


def write_atomically(path: str | PathLike[str], write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a temporary file, then move it to ``path`` in one step.

    A reader sees the old file or the new one, never a part. The temporary file lies next to it and keeps the
    name (some writers choose their format by the suffix). A device such as ``/dev/stdout`` is written to
    directly.

    Parameters
    ----------
    path : path-like
        Where the file shall be; a symbolic link is followed.
    write : callable
        Called with the path to fill.

    Raises
    ------
    InputError
        If the file cannot be written; ``path`` is then as it was.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomically(f"{folder}/a.txt", lambda file: file.write_text("done"))
    ...     Path(folder, "a.txt").read_text(), len(os.listdir(folder))
    ('done', 1)
    """
    target = _target(path)
    try:
        if _is_device(target):
            write(target)
        else:
            _replace(target, write)
    except OSError as error:
        raise _cannot_write(path, error) from error


def _replace(target: Path, write: Callable[[Path], object]) -> None:
    with tempfile.TemporaryDirectory(prefix=".cvxar-", dir=target.parent) as folder:
        # a file made in a fresh folder gets the usual permissions; one made by mkstemp would be private
        draft = Path(folder, target.name)
        write(draft)
        os.replace(draft, target)


def _target(path: str | PathLike[str]) -> Path:
    if not os.fspath(path):
        raise InputError("the name of the file is empty; give a path such as 'result.json'")
    return Path(os.path.realpath(path))


def _is_device(target: Path) -> bool:
    return target.exists() and not target.is_file()


def _cannot_write(path: str | PathLike[str], error: OSError) -> InputError:
    reason = error.strerror or str(error)
    return InputError(
        f"cannot write {os.fspath(path)}: {reason}; give a file in a folder that exists and can be written to"
    )
