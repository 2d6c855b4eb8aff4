"""``cvxar path``: solutions along a decreasing grid of penalties."""

import argparse

from cvxar.commands.arguments import real, whole
from cvxar.commands.base import Command, Output, head, records
from cvxar.commands.inputs import Given
from cvxar.lags import check_lags, lag_frame
from cvxar.observations import observe
from cvxar.path import solve_path
from cvxar.problem import LassoProblem


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--n-betas", type=whole, default=20, help="size of the grid (default: 20)")
    parser.add_argument("--min-ratio", type=real, default=1e-4, help="its end, a share of beta_max (1e-4)")


def _run(options: argparse.Namespace, given: Given, command: str) -> Output:
    frame = lag_frame(observe(given.series), check_lags(options.lags))
    problem = LassoProblem(frame.x, frame.y, beta=0.0, architecture=options.architecture, skip=options.skip)
    rows = solve_path(problem, n_betas=options.n_betas, min_ratio=options.min_ratio).to_frame()
    return Output(rows.to_string(index=False), head(given, command) | {"rows": records(rows)})


PATH = Command("path", "solve along a decreasing grid of penalties", _options, _run)
