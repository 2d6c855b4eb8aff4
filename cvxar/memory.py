"""How much memory there is, and a refusal that names what would not fit before it is asked for."""

import os
from pathlib import Path

from cvxar.errors import TooLargeError

MEMINFO = Path("/proc/meminfo")
GROUP = Path("/sys/fs/cgroup")
WORTH_ASKING = 100_000_000  # bytes; less is never refused, and asking takes some 50 microseconds


def available_memory() -> float:
    """Bytes that can still be allocated; infinite where the system does not say.

    The least of what the machine has free and what the control group of the process leaves.

    Examples
    --------
    >>> available_memory() > 0
    True
    """
    return max(min(_free_memory(), _group_memory()), 0.0)


def _free_memory() -> float:
    if MEMINFO.exists():
        for line in MEMINFO.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024.0 * float(line.split()[1])
    try:
        return float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return float("inf")


def _group_memory() -> float:
    """Return what a control group (version 2) leaves; caches it can give back count as used."""
    try:
        limit = (GROUP / "memory.max").read_text().strip()
        used = float((GROUP / "memory.current").read_text())
        return float("inf") if limit == "max" else float(limit) - used
    except (OSError, ValueError):
        return float("inf")


def check_memory(needed: float, what: str, remedy: str) -> None:
    """Raise unless an allocation fits into the memory that is left.

    Parameters
    ----------
    needed : float
        Bytes.
    what : str
        What they are for.
    remedy : str
        What to do instead.

    Raises
    ------
    TooLargeError
        When they are more than :func:`available_memory`.

    Examples
    --------
    >>> check_memory(1e18, "a table of everything", "ask for less")
    Traceback (most recent call last):
        ...
    cvxar.errors.TooLargeError: a table of everything needs 1e+09 GB and ... GB are free; ask for less
    """
    if needed < WORTH_ASKING:
        return
    left = available_memory()
    if needed > left:
        raise TooLargeError(f"{what} needs {needed / 1e9:.2g} GB and {left / 1e9:.2g} GB are free; {remedy}")
