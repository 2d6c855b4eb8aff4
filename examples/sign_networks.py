"""Sign networks and total variation: two layers denoise by jumps, deeper ones by patterns.

    python examples/sign_networks.py [--points 120] [--plot sign_networks.png]

1. The two-layer sign network of penalty beta is total variation denoising in x,
   min 1/2 |y - f|^2 + beta/2 * sum |f_{k+1} - f_k|. Checked on noisy steps by its conditions of optimality:
   the running sum of y - f stays within beta/2, touches it at every jump, and ends at 0.
2. A square wave of k runs of m values of +1 and -1. Two layers shrink every run: inner ones to 1 - beta/m,
   the two outer ones to 1 - beta/(2 m). Parallel and tree networks with k - 1 switches have the whole wave
   as one unit, of coefficient 1 - beta / (sum of squares about the mean).
3. The noisy steps by depth: more switches a unit, a lower optimum.
"""

import argparse

import numpy as np
import pandas as pd

from cvxar import LassoProblem, Solution, architectures, plots, solve
from cvxar.figures import COLOURS, finish, new_grid, scatter

NETWORKS = {
    "two layers": architectures.TwoLayer("sign"),
    "parallel, depth 3, width 4": architectures.Parallel("sign", (4,)),
    "tree, depth 4, widths 3 and 2": architectures.Tree("sign", (3, 2)),
}
BETA_RATIO = 0.1
RUNS, RUN, WAVE_BETA = 6, 5, 0.5


def noisy_steps(points: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(0, 10, points))
    level = np.select([x < 2, x < 3, x < 6, x < 7.5], [0.0, 2.0, -1.0, 1.0], 0.0)
    return x, level + 0.4 * rng.normal(size=points)


def fitted(x: np.ndarray, y: np.ndarray, network: architectures.Architecture, beta: float) -> Solution:
    return solve(LassoProblem(x, y, beta=beta, architecture=network))


def violation(solution: Solution) -> float:
    """How far a fit is from the optimality conditions of total variation denoising, over beta/2."""
    problem = solution.problem
    half = problem.beta / 2
    sums = np.cumsum(problem.y - solution.fitted)
    jumps = np.diff(solution.fitted)
    at = np.abs(jumps) > 1e-9
    # sum of residuals left of a jump: -beta/2 where the fit rises, +beta/2 where it falls
    touching = np.abs(sums[:-1][at] + half * np.sign(jumps[at])).max()
    return float(max(touching, np.abs(sums).max() - half, abs(sums[-1])) / half)


def wave_table() -> pd.DataFrame:
    """Found and expected sizes of the square wave."""
    y = np.repeat(np.resize([1.0, -1.0], RUNS), RUN)
    x = np.arange(float(len(y)))
    single = {
        "parallel": architectures.Parallel("sign", (RUNS - 1,)),
        "tree": architectures.Tree("sign", (RUNS - 1, 1)),
    }
    steps = fitted(x, y, architectures.TwoLayer("sign"), WAVE_BETA).fitted
    rows = [
        ("two layers", "inner run", abs(steps[RUN]), 1 - WAVE_BETA / RUN),
        ("two layers", "outer run", abs(steps[0]), 1 - WAVE_BETA / (2 * RUN)),
    ]
    size = 1 - WAVE_BETA / np.sum((y - y.mean()) ** 2)
    for name, network in single.items():
        coef = fitted(x, y, network, WAVE_BETA).coef
        rows.append((name, f"l1 norm of {len(coef)} unit", np.abs(coef).sum(), size))
    return pd.DataFrame(rows, columns=["network", "size of", "found", "expected"])


def depth_table(found: dict[str, Solution]) -> pd.DataFrame:
    first = found["two layers"].certificate.primal
    rows = [
        (
            name,
            s.certificate.primal / first,
            len(s.coef),
            s.network.n_breakpoints,
            s.certificate.relative_gap,
        )
        for name, s in found.items()
    ]
    return pd.DataFrame(rows, columns=["network", "optimum", "units", "jumps", "relative gap"])


def draw(found: dict[str, Solution]):
    grid = new_grid(None, (len(found), 1), (9.0, 10.0), sharex=True)[:, 0]
    for ax, (name, solution) in zip(grid, found.items(), strict=True):
        problem = solution.problem
        x = problem.x[:, 0]
        scatter(ax, x, problem.y, "data")
        at = np.linspace(x[0], x[-1], 3000)
        ax.plot(at, solution.network(at), color=COLOURS[0], linewidth=1.6, label=name)
        finish(ax, "", "y")
    grid[-1].set_xlabel("x")
    return grid[0].figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=120, help="how many noisy points")
    parser.add_argument("--plot", default="sign_networks.png", help="save the picture here")
    options = parser.parse_args()
    plots.check_figure_file(options.plot)
    x, y = noisy_steps(options.points)
    first = LassoProblem(x, y, beta=0.0, architecture=NETWORKS["two layers"])
    found = {name: fitted(x, y, net, BETA_RATIO * first.beta_max) for name, net in NETWORKS.items()}
    print(f"two layers as total variation denoising: violated by {violation(found['two layers']):.1g}")
    print(f"\nsquare wave, {RUNS} runs of {RUN}, beta = {WAVE_BETA}")
    print(wave_table().to_string(index=False, float_format="{:.12g}".format))
    print("\nnoisy steps, all at one penalty; optimum relative to two layers")
    print(depth_table(found).to_string(index=False, float_format="{:.6g}".format))
    plots.save_figure(lambda: draw(found), options.plot)


if __name__ == "__main__":
    main()
