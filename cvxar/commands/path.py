"""``cvxar path``: solutions along a decreasing grid of penalties, or at every event of the exact path."""

import argparse
import re
from typing import Any

from cvxar import plots
from cvxar.commands.arguments import add_model, add_plot, real, reals, whole
from cvxar.commands.base import Command, Output, head, model_of, records
from cvxar.commands.inputs import Given
from cvxar.errors import InputError
from cvxar.lags import check_lags
from cvxar.observations import observe
from cvxar.path import METHODS, SolutionPath, solve_path
from cvxar.problem import LassoProblem
from cvxar.results import prepare

N_BETAS = 20


def _options(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument(
        "--method",
        default="grid",
        help=f"one of {', '.join(METHODS)}: homotopy stops at every event of the exact path (default: grid)",
    )
    parser.add_argument("--betas", type=reals, help="penalties, such as 1e6,1e5, instead of a grid")
    parser.add_argument("--n-betas", type=whole, help=f"size of the grid (default: {N_BETAS})")
    parser.add_argument("--min-ratio", type=real, help="end of the path, a share of beta_max (default: 1e-4)")
    parser.add_argument(
        "--tol", type=real, default=1e-8, help="relative duality gap to reach (default: 1e-8)"
    )
    add_plot(parser)


def _run(options: argparse.Namespace, given: Given, command: str) -> Output:
    _check_grid(options)
    problem = prepare(observe(given.series, gaps=True), model_of(options)).problem
    path = _solve(problem, options)
    rows = path.to_frame()

    def draw() -> Any:
        """Draw the path of every breakpoint."""
        unit = f"{options.transform} of {given.unit}" if options.transform else given.unit
        return plots.plot_solution_paths(path, [f"{unit}, lag {lag}" for lag in check_lags(options.lags)])

    facts = {"method": options.method, "rows": records(rows)}
    return Output(rows.to_string(index=False), head(given, command) | facts, draw)


def _solve(problem: LassoProblem, options: argparse.Namespace) -> SolutionPath:
    """Solve along the path; what an error asks for is said in the words of the command line."""
    try:
        return solve_path(
            problem,
            options.betas,
            n_betas=_count(options),
            min_ratio=1e-4 if options.min_ratio is None else options.min_ratio,
            tol=options.tol,
            method=options.method,
        )
    except InputError as error:
        words = re.sub(r'method="(\w+)"', r"--method \1", str(error))
        raise InputError(words) from None


def _count(options: argparse.Namespace) -> int | None:
    """Size of the grid; None for the exact path, which has none."""
    return N_BETAS if options.n_betas is None and options.method != "homotopy" else options.n_betas


def _check_grid(options: argparse.Namespace) -> None:
    """Refuse options of which one would have no effect."""
    if options.betas is not None and (options.n_betas is not None or options.min_ratio is not None):
        raise InputError("--betas gives the penalties themselves; leave out --n-betas and --min-ratio")
    if options.method == "homotopy" and (options.betas is not None or options.n_betas is not None):
        raise InputError("--method homotopy finds the penalties itself; leave out --betas and --n-betas")
    lags = check_lags(options.lags)
    if options.method == "homotopy" and len(lags) > 1:
        raise InputError(
            f"--method homotopy takes one lag, got {len(lags)}; use one, such as --lags 1, or --method grid"
        )


PATH = Command("path", "solve along a decreasing grid of penalties, or the exact path", _options, _run)
