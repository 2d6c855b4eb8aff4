"""One thread for the libraries that would take more."""

import functools
import sys
from contextlib import AbstractContextManager
from typing import Any


def one_thread(kind: str | None = None) -> AbstractContextManager[Any]:
    """Return a context in which libraries of a kind ("blas", "openmp"; all by default) keep to one thread.

    Finding the libraries takes milliseconds and is done again only when modules were imported since.

    Examples
    --------
    >>> from threadpoolctl import threadpool_info
    >>> with one_thread("blas"):
    ...     {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}
    {1}
    """
    import scipy.linalg  # noqa: F401  its BLAS is loaded with it, and must be there to be found

    limited: AbstractContextManager[Any] = _pools(len(sys.modules)).limit(limits=1, user_api=kind)
    return limited


@functools.lru_cache(maxsize=1)
def _pools(modules: int) -> Any:
    # loaded when first needed, not by the import of the package
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
