"""What is refused, and how objects show themselves: typed errors that say what to do, one-line reprs."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from cvxar import ConvexAR, LassoProblem, Wrapped, aggregate, backtest, compare, plots, solve_path
from cvxar.errors import InputError, InputTypeError
from cvxar.incremental import IncrementalLasso

RAMP = np.array([0.0, 1.0, 2.0, 3.0])
BENT = np.array([0.0, 0.0, 1.0, 2.0])


def window():
    return IncrementalLasso(RAMP, BENT, skip=True)


REFUSED = {
    "figure": (lambda: plots.save_figure(Figure(), "a.png"), InputTypeError, "figure.savefig"),
    "make": (lambda: Wrapped(3), InputTypeError, "make must be a function of the data.*got int"),
    "text appended": (lambda: window().append("a", 1), InputTypeError, "x must hold real numbers, got 'a'"),
    "list appended": (lambda: window().append(1, [1, 2]), InputTypeError, "y must be one number"),
    "nan appended": (lambda: window().append(1, np.nan), InputError, "y has 1 NaN"),
    "text in a window": (lambda: IncrementalLasso(["a"], [1]), InputTypeError, "x must hold real numbers"),
    "tol": (lambda: window().solve(beta_ratio=0.5, tol=-1), InputError, "tol must be positive"),
    "tol as text": (lambda: window().solve(beta_ratio=0.5, tol="a"), InputTypeError, "tol must be a number"),
    "no file name": (lambda: ConvexAR().fit(BENT).save(""), InputError, "name of the file is empty"),
    "position": (
        lambda: LassoProblem([1, 2, np.nan], [1, 2, 3], beta=1),
        InputError,
        "at position 2; drop",
    ),
    "position in columns": (
        lambda: LassoProblem([[1], [np.nan]], [1, 2], beta=1),
        InputError,
        "at position 1, 0; drop",
    ),
    "lags of a comparison": (
        lambda: compare(np.arange(1.0, 61.0), test=10, lags=40),
        InputError,
        r"but 40 lag\(s\) up to 40 need 82; use",
    ),
    "n_betas": (
        lambda: solve_path(LassoProblem(RAMP, BENT, beta=0), method="homotopy", n_betas=5),
        InputError,
        "leave out betas, n_betas and solver",
    ),
}


@pytest.mark.parametrize(("call", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_and_told_what_to_do(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_backtest_is_equal_to_itself_alone():
    values = np.random.default_rng(0).normal(size=40)
    first, second = (backtest(values, {"m": ConvexAR(beta_ratio=1.0)}, initial=35) for _ in range(2))
    assert first == first
    assert first != second


def test_the_solution_of_a_window_shows_itself_in_one_line():
    found = window().solve(beta_ratio=0.1)
    assert repr(found) == f"WindowSolution(3 nodes, beta={found.beta:g}, {found.certificate})"


def test_aggregates_show_themselves_in_one_line():
    sums = aggregate([([1.0, 2.0], [0.0, 5.0]), ([1.0], [4.0])])
    assert repr(sums) == "Aggregates(3 observations of 2 distinct inputs)"
