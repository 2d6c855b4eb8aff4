"""General solvers on the same problem: times relative to ``solve``, and how far above the optimum they end.

    OPENBLAS_NUM_THREADS=1 python tests/benchmarks/rivals.py [--n 1000] [--beta-ratio 1e-2]

A two-layer ReLU network without skip connection on a standardised random walk. The explicit dictionary has
2 n columns (building it is not timed); the sparse form has one variable a knot. Every rival has solved a
small problem before, so that imports and compilation are not timed; those not installed are left out.
``table.py --rivals`` prints the same lines.
"""

import argparse
import time
import warnings
from collections.abc import Callable, Iterator

import numpy as np

from cvxar import LassoProblem, solve


def make_problem(n: int, beta_ratio: float) -> LassoProblem:
    """A walk of n pairs, standardised."""
    walk = np.cumsum(np.random.default_rng(0).standard_t(4, n + 1))
    walk = (walk - walk.mean()) / walk.std()
    problem = LassoProblem(walk[:-1], walk[1:], beta=1.0)
    return problem.with_beta(beta_ratio * problem.beta_max)


def explicit(problem: LassoProblem) -> tuple[np.ndarray, np.ndarray]:
    """Centred dictionary and target: the constant is eliminated."""
    (column,) = problem.design.columns
    matrix = np.array([f(problem.x[:, 0]) for f in column.dictionary.enumerate()]).T
    return np.asfortranarray(matrix - matrix.mean(axis=0)), problem.y - problem.y.mean()


def objective(problem: LassoProblem, matrix: np.ndarray, target: np.ndarray, z: np.ndarray) -> float:
    """Evaluate a point of the explicit Lasso, whatever its solver says of it."""
    residual = target - matrix @ z
    return float(residual @ residual / 2 + problem.beta * np.sum(np.abs(z)))


def by_sklearn(problem: LassoProblem, matrix: np.ndarray, target: np.ndarray) -> float:
    from sklearn.linear_model import Lasso

    model = Lasso(problem.beta / len(target), fit_intercept=False, tol=1e-8, max_iter=2000)
    return objective(problem, matrix, target, model.fit(matrix, target).coef_)


def by_skglm(problem: LassoProblem, matrix: np.ndarray, target: np.ndarray) -> float:
    from skglm import Lasso

    model = Lasso(problem.beta / len(target), fit_intercept=False, tol=1e-9)
    return objective(problem, matrix, target, model.fit(matrix, target).coef_)


def by_celer(problem: LassoProblem, matrix: np.ndarray, target: np.ndarray) -> float:
    from celer import Lasso

    model = Lasso(problem.beta / len(target), fit_intercept=False, tol=1e-9)
    return objective(problem, matrix, target, model.fit(matrix, target).coef_)


def by_clarabel(problem: LassoProblem, matrix: np.ndarray, target: np.ndarray) -> float:
    import cvxpy as cp

    z = cp.Variable(matrix.shape[1])
    loss = cp.sum_squares(target - matrix @ z) / 2
    cp.Problem(cp.Minimize(loss + problem.beta * cp.norm1(z))).solve(solver=cp.CLARABEL)
    return objective(problem, matrix, target, z.value)


def sparse_form(problem: LassoProblem, solver: str) -> float:
    """Solve for the values at the knots, with the total variation of the slope as penalty."""
    import cvxpy as cp

    (column,) = problem.design.columns
    order, h = np.argsort(problem.x[:, 0]), np.diff(column.knots)
    f = cp.Variable(len(column.knots))
    slope = cp.multiply(cp.diff(f), 1 / h)
    variation, ends = cp.norm1(cp.diff(slope)), cp.abs(slope[0] + slope[-1])
    norm = cp.maximum(variation, (variation + ends) / 2)
    loss = cp.sum_squares(problem.y[order] - f[column.position[order]]) / 2
    cp.Problem(cp.Minimize(loss + problem.beta * norm)).solve(solver=solver)
    s = np.diff(f.value) / h
    tv = np.sum(np.abs(np.diff(s)))
    residual = problem.y - f.value[column.position]
    return float(residual @ residual / 2 + problem.beta * max(tv, (tv + abs(s[0] + s[-1])) / 2))


def by_adam(problem: LassoProblem, width: int = 100, steps: int = 3000) -> float:
    """Train the network itself by Adam, full batches; returns its own objective, the lowest seen."""
    import torch

    torch.manual_seed(0)
    x, y = torch.tensor(problem.x), torch.tensor(problem.y)[:, None]
    inner, outer = torch.nn.Linear(1, width).double(), torch.nn.Linear(width, 1).double()
    optimiser = torch.optim.Adam([*inner.parameters(), *outer.parameters()], lr=1e-2)
    best = np.inf
    for _ in range(steps):
        optimiser.zero_grad()
        loss = ((outer(torch.relu(inner(x))) - y) ** 2).sum() / 2
        value = loss + problem.beta / 2 * (inner.weight.square().sum() + outer.weight.square().sum())
        value.backward()
        optimiser.step()
        best = min(best, float(value))
    return best


def rivals(problem: LassoProblem) -> Iterator[tuple[str, Callable[[], float]]]:
    """Names, and what to time: each returns the objective reached."""
    matrix, target = explicit(problem)
    for name, solver in (("scikit-learn", by_sklearn), ("skglm", by_skglm), ("celer", by_celer)):
        yield f"{name} Lasso, dictionary", lambda solver=solver: solver(problem, matrix, target)
    yield "cvxpy + Clarabel, dictionary", lambda: by_clarabel(problem, matrix, target)
    for solver in ("CLARABEL", "OSQP"):
        yield f"cvxpy + {solver}, sparse form", lambda solver=solver: sparse_form(problem, solver)
    yield "Adam, 3,000 steps, width 100", lambda: by_adam(problem)


def lines(n: int, beta_ratio: float) -> Iterator[str]:
    """Rows of a markdown table."""
    problem = make_problem(n, beta_ratio)
    optimum = solve(problem).certificate
    fresh = [make_problem(n, beta_ratio) for _ in range(20)]
    began = time.perf_counter()
    for each in fresh:
        solve(each)
    ours = (time.perf_counter() - began) / len(fresh)
    yield f"| cvxar, n = {n:,} | {1e3 * ours:.2f} ms | 1 | gap {optimum.relative_gap:.0e} |"
    for (name, work), (_, warm) in zip(rivals(problem), rivals(make_problem(30, 0.1)), strict=True):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                warm()
                began = time.perf_counter()
                reached = work()
        except ImportError:
            continue
        spent = time.perf_counter() - began
        excess = (reached - optimum.primal) / optimum.primal
        yield f"| {name} | {spent:.2f} s | {spent / ours:,.0f} | {excess:+.0e} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--beta-ratio", type=float, default=1e-2)
    options = parser.parse_args()
    print("| solver | time | times ours | objective above the certified optimum |\n|:--|--:|--:|--:|")
    for line in lines(options.n, options.beta_ratio):
        print(line, flush=True)


if __name__ == "__main__":
    main()
