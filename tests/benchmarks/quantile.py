"""Quantile networks beside linear quantile regression, and general solvers on the full linear programme.

Run: ``OPENBLAS_NUM_THREADS=1 python tests/benchmarks/quantile.py [--points 5000] [--repeat 3]``

The first table needs the hourly Bitcoin file beside the checkout (otherwise simulated returns of the same
size are used and said so): two-layer ReLU network with skip connection, penalty a share of ``beta_max``,
tolerance 1e-6, cold, preparation included; times are medians, as ratios to statsmodels' ``QuantReg`` with a
constant and one lag on the same points in the same process. The second one solves the same problem on fewer
points as a sparse linear programme in function values, slopes and slope changes.
"""

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import statsmodels.api as sm
from scipy import optimize, sparse

from cvxar import LassoProblem, losses, solve

SERIES = Path(__file__).resolve().parents[3] / "shared" / "data" / "btc_hourly_2018_2022.csv.gz"
LEVELS = (0.05, 0.3, 0.5, 0.7, 0.95)
RATIOS = (0.1, 0.01, 0.001)


def hourly_returns():
    """Log returns, and what they are."""
    if SERIES.exists():
        import pandas as pd

        return np.diff(np.log(pd.read_csv(SERIES)["close"].to_numpy())), "hourly Bitcoin log returns"
    rng = np.random.default_rng(0)
    size = np.exp(0.5 * np.cumsum(rng.normal(size=33_258)) / 30)
    return 0.008 * size * rng.standard_t(4, 33_258), "simulated returns"


def median_time(run, repeat):
    """Median seconds, and the last result."""
    seconds = []
    for _ in range(repeat):
        start = time.perf_counter()
        result = run()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), result


def problem_of(returns, tau, beta):
    return LassoProblem(returns[:-1], returns[1:], beta=beta, skip=True, loss=losses.Quantile(tau))


def against_linear(returns, repeat):
    x, y = returns[:-1], returns[1:]
    print(
        "| tau | QuantReg, ms | beta_ratio | time / QuantReg | breakpoints | gap |\n|--:|--:|--:|--:|--:|--:|"
    )
    worst = 0.0
    for tau in LEVELS:
        top = problem_of(returns, tau, 0.0).beta_max
        linear, _ = median_time(lambda t=tau: sm.QuantReg(y, sm.add_constant(x)).fit(q=t), repeat)
        for ratio in RATIOS:
            fit = lambda t=tau, b=ratio * top: solve(problem_of(returns, t, b), tol=1e-6)  # noqa: E731
            seconds, solution = median_time(fit, repeat)
            worst = max(worst, seconds / linear)
            gap, kinks = solution.certificate.relative_gap, len(solution.coef)
            print(
                f"| {tau} | {1e3 * linear:.0f} | {ratio:g} | {seconds / linear:.1f} | {kinks} | {gap:.0e} |"
            )
    print(f"\nlargest ratio {worst:.1f}\n")


class Programme:
    """The full programme: values at the knots, slopes, residual parts and kink parts."""

    def __init__(self, problem):
        (column,), design, loss = problem.design.columns, problem.design, problem.loss
        t, m, n = column.t, len(column.knots), len(design.e)
        pick = sparse.csr_matrix((np.ones(n), (np.arange(n), column.position)), shape=(n, m))
        steps = sparse.eye(m - 1, m, k=1) - sparse.eye(m - 1, m)
        bends = sparse.eye(m - 2, m - 1, k=1) - sparse.eye(m - 2, m - 1)
        unit, kink = sparse.eye(n), sparse.eye(m - 2)
        self.equal = sparse.bmat(
            [
                [pick, None, unit, -unit, None, None],
                [steps, -sparse.diags(np.diff(t)), None, None, None, None],
                [None, bends, None, None, -kink, kink],
            ],
            format="csc",
        )
        self.right = np.concatenate([design.e, np.zeros(2 * m - 3)])
        price = np.full(2 * (m - 2), problem.beta / column.scale)
        parts = np.full(n, loss.upper), np.full(n, -loss.lower), price
        self.cost = np.concatenate([np.zeros(2 * m - 1), *parts])
        self.free = 2 * m - 1
        self.values, self.pick, self.t = m, pick, t
        self.loss, self.target, self.price, self.scale = loss, design.e, price[0], design.y_scale

    def objective(self, x):
        """Objective of the function a solver returned, in data units."""
        values = x[: self.values]
        kinks = np.diff(np.diff(values) / np.diff(self.t))
        return self.scale * (
            self.loss.value(self.target - self.pick @ values) + self.price * np.abs(kinks).sum()
        )


def by_highs(programme):
    count = len(programme.cost)
    bounds = [(None, None)] * programme.free + [(0, None)] * (count - programme.free)
    answer = optimize.linprog(
        programme.cost, A_eq=programme.equal, b_eq=programme.right, bounds=bounds, method="highs"
    )
    return answer.x


def by_clarabel(programme):
    import clarabel

    rows, count = programme.equal.shape
    positive = -sparse.eye(count, format="csc")[programme.free :]
    matrix = sparse.vstack([programme.equal, positive], format="csc")
    right = np.concatenate([programme.right, np.zeros(count - programme.free)])
    cones = [clarabel.ZeroConeT(rows), clarabel.NonnegativeConeT(count - programme.free)]
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    quadratic = sparse.csc_matrix((count, count))
    solver = clarabel.DefaultSolver(quadratic, programme.cost, matrix, right, cones, settings)
    return np.array(solver.solve().x)


def by_osqp(programme):
    import osqp

    count = len(programme.cost)
    lower = np.concatenate([np.full(programme.free, -np.inf), np.zeros(count - programme.free)])
    matrix = sparse.vstack([programme.equal, sparse.eye(count)], format="csc")
    solver = osqp.OSQP()
    solver.setup(
        sparse.csc_matrix((count, count)),
        programme.cost,
        matrix,
        np.concatenate([programme.right, lower]),
        np.concatenate([programme.right, np.full(count, np.inf)]),
        eps_abs=1e-6,
        eps_rel=1e-6,
        max_iter=20_000,
        verbose=False,
    )
    return solver.solve(raise_error=False).x


def against_solvers(returns, points):
    returns = returns[: points + 1]
    print("| tau | solver | time / ours | objective above ours |\n|--:|:--|--:|--:|")
    for tau in (0.05, 0.5):
        beta = 0.01 * problem_of(returns, tau, 0.0).beta_max
        seconds, solution = median_time(lambda t=tau, b=beta: solve(problem_of(returns, t, b)), 3)
        own = solution.certificate
        print(f"| {tau} | ours, {1e3 * seconds:.0f} ms | 1 | (gap {own.relative_gap:.0e}) |")
        programme = Programme(problem_of(returns, tau, beta))
        for name, run in (("HiGHS", by_highs), ("Clarabel", by_clarabel), ("OSQP", by_osqp)):
            other, x = median_time(lambda r=run, p=programme: r(p), 1)
            above = programme.objective(x) / own.primal - 1
            print(f"| {tau} | {name} | {other / seconds:.0f} | {above:.0e} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=5000, help="observations of the second table")
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    returns, what = hourly_returns()
    print(f"{len(returns) - 1} observations: {what}\n")
    against_linear(returns, given.repeat)
    print(f"first {given.points} observations, beta_ratio 0.01\n")
    against_solvers(returns, given.points)


if __name__ == "__main__":
    main()
