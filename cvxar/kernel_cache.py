"""The decorator of compiled kernels, and the care of their cache on disk.

numba compiles a function anew when its own file has changed, not when a function it calls in another file
has. So all compiled kernels are dropped when any of their files has changed since the compilation.
"""

import functools
import hashlib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit

SOURCES = "kernel*.py"
COMPILED = "kernel*.nb[ic]"  # numba's index and code files
STAMP = "cvxar-kernels.sha256"


def compiled(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Compile a kernel when first called, with numba's options; kept on disk from then on."""
    if function is None:
        return functools.partial(compiled, **options)
    dispatcher = njit(cache=True, **options)(function)
    drop_stale(Path(dispatcher.stats.cache_path))
    return dispatcher


@functools.cache
def drop_stale(folder: Path) -> None:
    """Remove the compiled kernels of a folder unless they were made of the sources as they are.

    Warns
    -----
    UserWarning
        When they cannot be removed.
    """
    stamp, now = folder / STAMP, _stamp()
    try:
        if stamp.is_file() and stamp.read_text() == now:
            return
        for file in folder.glob(COMPILED):
            file.unlink(missing_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        stamp.write_text(now)
    except OSError as error:
        warnings.warn(
            f"compiled kernels in {folder} may be those of another version of cvxar and cannot be removed "
            f"({error.strerror}); delete {folder / COMPILED}",
            stacklevel=2,
        )


def _stamp() -> str:
    """Digest of the files of all kernels."""
    files = sorted(Path(__file__).parent.glob(SOURCES))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
