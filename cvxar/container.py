"""One file of a JSON header and the arrays it names. Nothing in it is ever executed.

A line of text, ``cvxar <version> <bytes of header> <bytes of arrays> <SHA-256>``; then the header, JSON in
UTF-8; then the arrays one after the other, little-endian, in the order in which the header names them. The
digest covers everything else. Reading needs memory in proportion to the size of the file, whatever it says.
"""

import hashlib
import json
import math
import os
import stat
from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from cvxar.errors import ModelFileError
from cvxar.files import write_atomically

MAGIC = b"cvxar"
# raise it whenever older code could not read, or would misread, what is written; tests/models has one of each
VERSION = 1
LONGEST_LINE = 256
LARGEST_HEADER = 2**27
# what stands in the header for an array: its type and its shape
ARRAY = "$array"
TYPES = {"f8": np.dtype("<f8"), "i8": np.dtype("<i8")}
MOST_DIMENSIONS = 2

# what hostile or damaged contents may raise while they are read
DAMAGE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


def write_container(path: str | PathLike[str], tree: Any) -> None:
    """Write a tree of dictionaries, lists, text, numbers and arrays; completely or not at all.

    Arrays are stored as 64-bit floats or integers of one or two dimensions.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    arrays: list[bytes] = []
    header = json.dumps(_without_arrays(tree, arrays), allow_nan=False, separators=(",", ":")).encode()
    body = b"".join(arrays)
    start = b"%s %d %d %d" % (MAGIC, VERSION, len(header), len(body))
    digest = _digest(start, header, body).encode()

    def write(file: Path) -> None:
        """Write the parts one after another."""
        file.write_bytes(b"".join([start, b" ", digest, b"\n", header, body]))

    write_atomically(path, write)


def read_container(path: str | PathLike[str]) -> Any:
    """Read what :func:`write_container` wrote.

    Raises
    ------
    ModelFileError
        If there is no such file, or it is not of this kind, damaged, truncated, or of a later version.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_container(f"{folder}/a", {"name": "a", "values": np.array([1.0, 2.0])})
    ...     read_container(f"{folder}/a")
    {'name': 'a', 'values': array([1., 2.])}
    """
    name = os.fspath(path)
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # asked first: opening a pipe would wait for its writer
            raise ModelFileError(f"{name} is not a file; give the path of a file that save() wrote")
        with open(path, "rb") as file:
            header, body = _parts(file, name)
    except OSError as error:
        raise ModelFileError(f"cannot read {name}: {error.strerror or error}") from error
    try:
        arrays = _Arrays(body)
        tree = arrays.put_back(json.loads(header, parse_constant=_finite, parse_float=_finite))
        arrays.check_used()
    except DAMAGE as error:
        raise damaged(name, error) from error
    return tree


def damaged(name: object, problem: object) -> ModelFileError:
    """Build the error for contents that cannot be used."""
    return ModelFileError(f"{name} is damaged ({problem}); save the model again")


def _parts(file: BinaryIO, name: object) -> tuple[bytes, bytes]:
    """Check line, sizes and digest; return header and arrays."""
    size = os.fstat(file.fileno()).st_size
    line = file.readline(LONGEST_LINE)
    version, header_size, body_size, digest = _read_line(line, name)
    if version > VERSION:
        raise ModelFileError(
            f"{name} has format {version}, this version of cvxar reads formats up to {VERSION}; upgrade cvxar"
        )
    expected = len(line) + header_size + body_size
    if size != expected or header_size > LARGEST_HEADER:
        raise damaged(name, f"{size} bytes where {expected} are announced")
    header, body = file.read(header_size), file.read(body_size)
    start = line[: line.rindex(b" ")]
    if _digest(start, header, body) != digest:
        raise damaged(name, "its checksum is wrong")
    return header, body


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a finite number")
    return number


def _read_line(line: bytes, name: object) -> tuple[int, int, int, str]:
    fields = line.split(b" ")
    numbers = fields[1:4]
    plain = all(number.isdigit() and len(number) < 19 for number in numbers)
    if len(fields) != 5 or fields[0] != MAGIC or not plain or not line.endswith(b"\n"):
        raise ModelFileError(f"{name} was not written by cvxar; give the path of a file that save() wrote")
    version, header_size, body_size = (int(number) for number in numbers)
    return version, header_size, body_size, fields[4][:-1].decode("latin-1")


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def _without_arrays(tree: Any, arrays: list[bytes]) -> Any:
    """Return the tree with a description for every array, and append the bytes of each."""
    if isinstance(tree, np.ndarray):
        kind = "i8" if tree.dtype.kind in "iub" else "f8"
        arrays.append(np.ascontiguousarray(tree, dtype=TYPES[kind]).tobytes())
        return {ARRAY: [kind, *tree.shape]}
    return _each(tree, lambda part: _without_arrays(part, arrays))


def _each(tree: Any, change: Callable[[Any], Any]) -> Any:
    """Apply a change to every child of a dictionary or list; return anything else as it is."""
    if isinstance(tree, dict):
        return {key: change(value) for key, value in tree.items()}
    return [change(value) for value in tree] if isinstance(tree, list | tuple) else tree


class _Arrays:
    """The arrays of a file, handed out in their order: each byte serves one array."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._used = 0

    def put_back(self, tree: Any) -> Any:
        """Return the tree with every description replaced by its array."""
        if isinstance(tree, dict) and ARRAY in tree:
            kind, *shape = tree[ARRAY]
            return self._next(TYPES[kind], list(_sizes(shape)))
        return _each(tree, self.put_back)

    def _next(self, dtype: np.dtype[Any], shape: list[int]) -> Any:
        end = self._used + math.prod(shape) * dtype.itemsize
        if end > len(self._body):
            raise ValueError(f"an array of shape {tuple(shape)} is larger than the file")
        flat = np.frombuffer(self._body[self._used : end], dtype)
        self._used = end
        return flat.reshape(shape).astype(dtype.newbyteorder("="))

    def check_used(self) -> None:
        """Raise unless every byte belongs to an array."""
        if self._used != len(self._body):
            raise ValueError(f"{len(self._body) - self._used} bytes belong to no array")


def _sizes(shape: list[Any]) -> Iterator[int]:
    if not 1 <= len(shape) <= MOST_DIMENSIONS:
        raise ValueError(f"an array of {len(shape)} dimensions")
    for size in shape:
        if type(size) is not int or not 0 <= size < 2**48:
            raise ValueError(f"{size!r} is not the size of an array")
        yield size
