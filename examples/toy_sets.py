"""Three toy data sets, networks of depth 2, 3 and 4: the optimum, and what it is made of.

    python examples/toy_sets.py [--activation relu] [--plot toy_sets.png]

For every data set and depth: the training objective over beta at beta = 1e-8, certified; the smallest l1 norm
of an exact fit (beta = 0), which the former tends to; how many units each has; the relative duality gap. The
third layer halves the norm where a capped ramp does the work of two units; the fourth changes nothing
with ReLU. Picture: the fits of least norm, their units and breakpoints.
"""

import argparse

import pandas as pd

from cvxar import LassoProblem, Solution, architectures, plots, solve
from cvxar.figures import new_grid

SETS = {
    "step": ([0.0, 2.0, 6.0, 7.0], [0.0, 0.0, 3.0, 3.0]),
    "rise": ([0.0, 2.0, 6.0, 7.0], [0.0, 0.0, 3.0, 7.0]),
    "bend": ([0.0, 4.0, 5.0, 7.0, 10.0, 11.0], [0.0, 0.0, 0.0, 2.0, 3.0, 3.0]),
}
DEPTHS = (2, 3, 4)
BETA = 1e-8


def architecture(activation: str, depth: int) -> architectures.Architecture:
    if depth == 2:
        return architectures.TwoLayer(activation)
    return architectures.DeepNarrow(activation, depth)


def fit(name: str, activation: str, depth: int, beta: float) -> Solution:
    x, y = SETS[name]
    return solve(LassoProblem(x, y, beta=beta, architecture=architecture(activation, depth)))


def row(name: str, activation: str, depth: int) -> dict[str, float | str]:
    penalised, exact = (fit(name, activation, depth, beta) for beta in (BETA, 0.0))
    return {
        "set": name,
        "depth": depth,
        "objective / beta": penalised.certificate.primal / BETA,
        "least norm": exact.l1_norm,
        "units": len(exact.coef),
        "breakpoints": ", ".join(b.formula for b in exact.network.breakpoints),
        "relative gap": penalised.certificate.relative_gap,
    }


def draw(activation: str):
    grid = new_grid(None, (len(SETS), len(DEPTHS)), (15.0, 14.0))
    for axes, name in zip(grid, SETS, strict=True):
        for ax, depth in zip(axes, DEPTHS, strict=True):
            x, y = SETS[name]
            exact = fit(name, activation, depth, 0.0)
            plots.plot_network(exact.network, x, y, ax=ax)
            ax.set_title(f"{name}, depth {depth}: l1 norm {exact.l1_norm:.4g}", fontsize=10)
            ax.set_xlabel("x")
    return grid[0, 0].figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--activation", default="relu", choices=["relu", "abs", "leaky_relu"])
    parser.add_argument("--plot", default="toy_sets.png", help="save the picture here")
    options = parser.parse_args()
    plots.check_figure_file(options.plot)
    table = pd.DataFrame([row(name, options.activation, depth) for name in SETS for depth in DEPTHS])
    table["objective / beta"] = table["objective / beta"].map("{:.10f}".format)
    print(table.to_string(index=False, float_format="{:.6g}".format))
    plots.save_figure(lambda: draw(options.activation), options.plot)


if __name__ == "__main__":
    main()
