"""The weights of a trained network as plain arrays: all that another library needs to know."""

from dataclasses import dataclass
from importlib.util import find_spec

from cvxar._typing import Array, IntArray
from cvxar.activations import Activation
from cvxar.errors import InputError


@dataclass(frozen=True)
class Blueprint:
    r"""Parallel units and a skip connection, :math:`f(x) = b + \omega'x + \sum_i a_i X_{L,i}`.

    :math:`X_{1,i}` is the one column of x that unit i reads, and
    :math:`X_{l+1,i} = \sigma(W_{l,i} X_{l,i} + b_{l,i})`.

    Parameters
    ----------
    sigma : Activation
    columns : array of int (k,)
        Which column each unit reads.
    hidden : tuple of (weights, biases)
        :math:`W_l` (k, out, in) and :math:`b_l` (k, out) of every hidden layer.
    outer : array (k,)
        :math:`a`, amplitudes included.
    linear : array (p,)
        :math:`\omega`.
    bias : float
        :math:`b`.
    """

    sigma: Activation
    columns: IntArray
    hidden: tuple[tuple[Array, Array], ...]
    outer: Array
    linear: Array
    bias: float


def require(*packages: str, extra: str) -> None:
    """Raise unless packages of an optional extra are installed.

    Raises
    ------
    InputError
        Naming the first missing package and the command that installs it.

    Examples
    --------
    >>> require("numpy", extra="torch")
    >>> require("no_such_package", extra="torch")
    Traceback (most recent call last):
        ...
    cvxar.errors.InputError: no_such_package is needed and not installed; run: pip install "cvxar[torch]"
    """
    for package in packages:
        if find_spec(package) is None:
            raise InputError(f'{package} is needed and not installed; run: pip install "cvxar[{extra}]"')
