"""Random and hostile problems, and the explicit Lasso they stand for."""

import warnings

import numpy as np
from hypothesis import strategies as st

from cvxar import LassoProblem
from cvxar.architectures import BY_NAME, DeepNarrow, Parallel, Tree, TwoLayer

ARCHITECTURES = [
    *BY_NAME.values(),
    TwoLayer("leaky_relu", 0.6),
    TwoLayer("leaky_relu", -0.5),
    DeepNarrow("relu", depth=4),
    DeepNarrow("abs", depth=4),
    DeepNarrow("leaky_relu", depth=4, negative_slope=0.4),
    Parallel("threshold", (2, 3)),
    Tree("sign", (2, 2, 2)),
]


def most_inputs(architecture):
    """Most distinct inputs whose dictionary is small enough to write out in a test."""
    if architecture.depth > 3 and architecture.sigma.name == "abs":
        return 5
    slow = architecture.depth > 3 and architecture.sigma.name == "leaky_relu"
    return 9 if slow or isinstance(architecture, Parallel | Tree) else 30


@st.composite
def inputs(draw, n, columns=1):
    """Input columns with ties, offsets, outliers and widely varying spacing."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    kind = draw(st.sampled_from(["normal", "integers", "walk", "heavy", "offset", "clusters"]))
    shape = (n, columns)
    return {
        "normal": lambda: rng.normal(size=shape),
        "integers": lambda: rng.integers(-3, 4, size=shape).astype(float),
        "walk": lambda: np.cumsum(rng.normal(size=shape), axis=0),
        "heavy": lambda: rng.standard_cauchy(size=shape),
        "offset": lambda: 1e6 + rng.normal(size=shape),
        "clusters": lambda: rng.integers(0, 3, size=shape) + 1e-4 * rng.normal(size=shape),
    }[kind]()


@st.composite
def problems(draw, max_n=25, max_columns=1, fit_intercept=True):
    """Lasso problems over the catalogue, with beta between 1e-4 and 1.2 times beta_max."""
    kinds = [a for a in ARCHITECTURES if fit_intercept or not a.needs_constant]
    architecture = draw(st.sampled_from(kinds))
    n = draw(st.integers(2, min(max_n, most_inputs(architecture))))
    columns = draw(st.integers(1, max_columns))
    x = draw(inputs(n, columns))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    spread = max(float(np.ptp(x[:, 0])), 1.0)
    y = np.abs(x[:, 0] - np.median(x)) / spread + rng.normal(size=n) * draw(st.sampled_from([0.01, 1.0]))
    exog = rng.normal(size=(n, 1)) if draw(st.booleans()) else None
    weight = rng.uniform(0.1, 2.0, n) if draw(st.booleans()) else None
    problem = LassoProblem(
        x,
        y,
        beta=1.0,
        architecture=architecture,
        skip=draw(st.booleans()),
        exog=exog,
        sample_weight=weight,
        fit_intercept=fit_intercept,
    )
    ratio = 10.0 ** draw(st.floats(-4, 0.1))
    return problem.with_beta(problem.beta_max * ratio)


def explicit(problem):
    """The dictionary matrix A and the unpenalised matrix U of a problem, column by column."""
    features = [
        feature.on_column(j)
        for j, column in enumerate(problem.design.columns)
        for feature in column.dictionary.enumerate()
    ]
    columns = [f(problem.x[:, f.column]) for f in features]
    matrix = np.array(columns or [np.zeros(len(problem.y))]).T  # one distinct input has no ramp
    free = [np.ones((len(problem.y), 1))] if problem.fit_intercept else []
    free += [problem.x] if problem.skip else []
    return matrix, np.hstack([*free, problem.exog])


def orthonormal(matrix):
    """Orthonormal basis of the columns, those that are zero or dependent left out."""
    if not matrix.shape[1]:
        return matrix
    u, s, _ = np.linalg.svd(matrix, full_matrices=False)
    return u[:, s > 1e-10 * s[0]]


def literal_objective(problem, fitted, l1_norm):
    """Half the weighted squared residuals plus the penalty, written out."""
    weight = np.ones(len(problem.y)) if problem.sample_weight is None else problem.sample_weight
    return 0.5 * np.sum(weight * (problem.y - fitted) ** 2) + problem.beta * l1_norm


def reference_optimum(problem):
    """Optimum of the explicit Lasso by cvxpy with Clarabel, or None where that solver gives up.

    Data are centred and columns scaled for the solver's sake; the objective does not change.
    """
    import cvxpy as cp

    matrix, free = explicit(problem)
    free = free - (free.mean(axis=0) if problem.fit_intercept else 0.0)
    free = np.column_stack([free, np.ones(len(problem.y))]) if problem.fit_intercept else free
    matrix = matrix - (matrix.mean(axis=0) if problem.fit_intercept else 0.0)
    norms = np.maximum(np.linalg.norm(matrix, axis=0), 1e-12)
    basis = orthonormal(free)
    weight = np.ones(len(problem.y)) if problem.sample_weight is None else problem.sample_weight
    z, g = cp.Variable(matrix.shape[1]), cp.Variable(max(basis.shape[1], 1))
    fit = (matrix / norms) @ z + (basis @ g if basis.shape[1] else 0.0)
    scale = max(problem.beta * np.max(1 / norms), 1e-300)
    loss = cp.sum_squares(
        cp.multiply(np.sqrt(weight), problem.y - problem.y.mean() * problem.fit_intercept - fit)
    )
    objective = loss / (2 * scale) + (problem.beta / scale / norms) @ cp.abs(z)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Solution may be inaccurate")
            cp.Problem(cp.Minimize(objective)).solve(
                solver=cp.CLARABEL, tol_gap_abs=1e-12, tol_gap_rel=1e-12, tol_feas=1e-12
            )
    except cp.SolverError:
        return None
    # evaluate the returned point exactly: an upper bound on the optimum whatever the solver's status
    fitted = (matrix / norms) @ z.value + (basis @ g.value if basis.shape[1] else 0.0)
    fitted = fitted + problem.y.mean() * problem.fit_intercept
    return literal_objective(problem, fitted, float(np.sum(np.abs(z.value) / norms)))
