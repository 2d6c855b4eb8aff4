"""The solution path: breakpoints appear one by one as the penalty falls, every point of it certified.

    python examples/solution_path.py [--architecture relu] [--betas 60] [--plot solution_path.png]

Sunspot numbers, two lags, with the skip connection: at beta_max the map is the linear autoregression,
below it bends. Printed: every fifth penalty with objective, l1 norm, units, breakpoints and relative
duality gap; the first breakpoint, and the size of its coefficient beside the formula (beta_max - beta) /
|column|^2, where the column is less its projection on constant and lags; and what BIC takes. Picture:
size and place of all breakpoints of either lag, and the criterion.
"""

import argparse

import numpy as np

from cvxar import ConvexAR, LassoProblem, SolutionPath, datasets, plots, solve, solve_path
from cvxar.figures import new_grid

MIN_RATIO = 0.01


def first_breakpoint(problem: LassoProblem) -> str:
    """Compare the first unit, just below beta_max, with its closed form."""
    beta = (1 - 1e-6) * problem.beta_max
    solution = solve(problem.with_beta(beta))
    units, signs = solution.network.point.features, np.sign(solution.coef)
    column = np.column_stack([unit(problem.x[:, unit.column]) for unit in units]) @ signs
    free = np.column_stack([np.ones(len(column)), problem.x])
    rest = column - free @ np.linalg.lstsq(free, column, rcond=None)[0]
    expected = (problem.beta_max - beta) / (rest @ rest)
    places = ", ".join(f"lag {b.column + 1} at {b.formula} ({b.label})" for b in solution.network.breakpoints)
    return f"first: {places}; coefficient {solution.l1_norm:.6g}, by formula {expected:.6g}"


def draw(path: SolutionPath, model: ConvexAR):
    grid = new_grid(None, (2, 3), (17.0, 8.0), sharex="col")
    for column in (0, 1):
        plots.plot_solution_path(path, column=column, name=f"sunspots, lag {column + 1}", ax=grid[:, column])
    model.plot_path(ax=grid[:, 2])
    return grid[0, 0].figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--architecture", default="relu", help="see cvxar.architectures.BY_NAME")
    parser.add_argument("--betas", type=int, default=60, help="size of the grid")
    parser.add_argument("--plot", default="solution_path.png", help="save the picture here")
    options = parser.parse_args()
    plots.check_figure_file(options.plot)
    series = datasets.load_sunspots()
    values = series.to_numpy()
    lags = np.column_stack([values[1:-1], values[:-2]])
    problem = LassoProblem(lags, values[2:], beta=0.0, architecture=options.architecture, skip=True)
    path = solve_path(problem, n_betas=options.betas, min_ratio=MIN_RATIO)
    table = path.to_frame()
    print(table.iloc[::5].to_string(index=False, float_format="{:.6g}".format))
    print(f"largest relative gap of all {len(path)}: {table['relative_gap'].max():.1g}")
    print(first_breakpoint(problem))
    model = ConvexAR(2, architecture=options.architecture).fit(series)
    places = "; ".join(f"lag {b.column + 1} at {b.formula}" for b in model.breakpoints_)
    print(f"BIC takes {model.beta_ / model.beta_max_:.3g} of beta_max, breakpoints: {places or 'none'}")
    plots.save_figure(lambda: draw(path, model), options.plot)


if __name__ == "__main__":
    main()
