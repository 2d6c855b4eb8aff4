"""``cvxar path``: solutions along a decreasing grid of penalties."""

import argparse
from typing import Any

from cvxar import plots
from cvxar.commands.arguments import add_plot, real, whole
from cvxar.commands.base import Command, Output, head, records
from cvxar.commands.inputs import Given
from cvxar.lags import check_lags, lag_frame
from cvxar.observations import observe
from cvxar.path import solve_path
from cvxar.problem import LassoProblem


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--n-betas", type=whole, default=20, help="size of the grid (default: 20)")
    parser.add_argument("--min-ratio", type=real, default=1e-4, help="its end, a share of beta_max (1e-4)")
    add_plot(parser)


def _run(options: argparse.Namespace, given: Given, command: str) -> Output:
    frame = lag_frame(observe(given.series), check_lags(options.lags))
    problem = LassoProblem(frame.x, frame.y, beta=0.0, architecture=options.architecture, skip=options.skip)
    path = solve_path(problem, n_betas=options.n_betas, min_ratio=options.min_ratio)
    rows = path.to_frame()

    def draw() -> Any:
        names = [f"{given.unit}, lag {lag}" for lag in check_lags(options.lags)]
        return plots.plot_solution_paths(path, names)

    return Output(rows.to_string(index=False), head(given, command) | {"rows": records(rows)}, draw)


PATH = Command("path", "solve along a decreasing grid of penalties", _options, _run)
