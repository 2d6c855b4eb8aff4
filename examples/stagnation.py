"""Depth helps a deep narrow ReLU network once: from two layers to three, and never again.

    python examples/stagnation.py [--points 40] [--plot stagnation.png]

Each parallel unit of a deep narrow network has one neuron a layer. With ReLU, its layers can make a
capped ramp from the third layer on and nothing new after it, so that the optimum stays where it is; leaky
ReLU comes closer and closer to it, and absolute value goes below by its reflections. Printed for the last
sunspot numbers (one lag, no skip connection): by depth, the least l1 norm of all fits of least error
(beta = 0), the certified optimum of the training objective at one penalty for all, both relative to ReLU
in two layers; the relative duality gap; and how far the objective of the non-convex problem, evaluated at
the weights, is from the Lasso's. Absolute value ends at depth 4: beyond, exact search is for a few points
alone.
"""

import argparse

import numpy as np
import pandas as pd

from cvxar import LassoProblem, Solution, architectures, datasets, plots, solve
from cvxar.figures import COLOURS, STYLES, finish, new_grid

DEPTHS = {"relu": range(2, 7), "leaky_relu": range(2, 7), "abs": range(2, 5)}
BETA_RATIO = 1e-3  # of beta_max of ReLU in two layers


def architecture(activation: str, depth: int) -> architectures.Architecture:
    if depth == 2:
        return architectures.TwoLayer(activation)
    return architectures.DeepNarrow(activation, depth)


def fitted(x: np.ndarray, y: np.ndarray, activation: str, depth: int, beta: float) -> Solution:
    return solve(LassoProblem(x, y, beta=beta, architecture=architecture(activation, depth)))


def objective_of_weights(solution: Solution) -> float:
    """The non-convex objective: half the squared error of the forward pass, and the weights' penalty."""
    problem, network = solution.problem, solution.network
    residual = problem.y - network.forward(problem.x)
    return float(np.sum(residual**2) / 2 + problem.beta * network.penalty())


def compared(x: np.ndarray, y: np.ndarray) -> pd.DataFrame:
    """One row an architecture; the first is ReLU in two layers."""
    beta = BETA_RATIO * LassoProblem(x, y, beta=0.0).beta_max
    rows = []
    for activation, depth in [(a, depth) for a, depths in DEPTHS.items() for depth in depths]:
        exact, penalised = (fitted(x, y, activation, depth, b) for b in (0.0, beta))
        of_weights = objective_of_weights(penalised)
        rows.append(
            {
                "activation": activation,
                "depth": depth,
                "least norm": exact.l1_norm,
                "optimum": penalised.certificate.primal,
                "units": len(exact.coef),
                "breakpoints": exact.network.n_breakpoints,
                "relative gap": max(s.certificate.relative_gap for s in (exact, penalised)),
                "weights / Lasso - 1": abs(of_weights / penalised.certificate.primal - 1),
            }
        )
    table = pd.DataFrame(rows)
    for column in ("least norm", "optimum"):
        table[column] /= table[column].iloc[0]
    return table


def draw(table: pd.DataFrame):
    grid = new_grid(None, (1, 2), (11.0, 4.5))[0]
    for ax, column in zip(grid, ("least norm", "optimum"), strict=True):
        for i, (activation, rows) in enumerate(table.groupby("activation", sort=False)):
            look = {"color": COLOURS[i], "linestyle": STYLES[i], "marker": "o"}
            ax.plot(rows["depth"], rows[column], label=activation, **look)
        ax.set_xticks(sorted(set(table["depth"])))
        finish(ax, "depth (layers)", f"{column} / that of ReLU, two layers")
    return grid[0].figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=40, help="use so many of the last years")
    parser.add_argument("--plot", default="stagnation.png", help="save the picture here")
    options = parser.parse_args()
    plots.check_figure_file(options.plot)
    values = datasets.load_sunspots().to_numpy()[-options.points :]
    table = compared(values[:-1], values[1:])
    print(table.to_string(index=False, float_format="{:.10g}".format))
    relu = table.loc[(table["activation"] == "relu") & (table["depth"] > 2), ["least norm", "optimum"]]
    print(f"ReLU from depth 3 on: largest difference of the ratios {np.ptp(relu, axis=0).max():.1g}")
    plots.save_figure(lambda: draw(table), options.plot)


if __name__ == "__main__":
    main()
