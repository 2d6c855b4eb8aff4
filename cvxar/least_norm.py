r"""The limit of no penalty: the minimum-l1-norm point among the minimisers of the loss.

For one column the fitted function interpolates the (tie-averaged) targets linearly between
neighbouring data points, in closed form, with a dual vector in closed form. With several columns or
exogenous ones, or where repeated inputs leave a loss an interval of minimisers, it is a sparse linear
programme in the slopes of each column, solved by HiGHS.
"""

from dataclasses import replace

import numpy as np

from cvxar._typing import Array
from cvxar.coefficients import Coefficients
from cvxar.errors import InputError
from cvxar.least_norm_programme import least_norm_between, least_norm_programme, make_block
from cvxar.minimisers import minimisers
from cvxar.nodal import State
from cvxar.nodal_search import coefficients_of, cold_state, prepare
from cvxar.problem import LassoProblem
from cvxar.spline import Spline, signed


def least_norm(problem: LassoProblem) -> tuple[Coefficients, Array, int]:
    """Return the point, a dual vector (data units) and the number of rounds (one).

    Raises
    ------
    InputError
        Without a constant: the limit is then not attained by kinks at data points.
    SolverError
        When HiGHS finds no optimum.
    """
    if not problem.fit_intercept:
        raise InputError("beta=0 needs the constant (fit_intercept=True); use a small positive beta instead")
    rows, _, active = prepare(problem)
    state = cold_state(problem.with_beta(1.0), active)
    if len(active) == 1 and not rows.extra.shape[1]:
        spline, sums = _of_one_column(problem, state.splines[0], rows.target)
        state = State((spline,), state.tail)
        position, weight = problem.design.columns[0].position, problem.design.weight
        dual = weight * (sums / rows.weight)[position]
    else:
        state, dual = least_norm_programme(rows, state)
    return coefficients_of(problem, state, active), dual, 1


def _of_one_column(problem: LassoProblem, spline: Spline, mean: Array) -> tuple[Spline, Array]:
    """Join the minimisers of the loss, chosen by a programme where they are intervals; and the dual sums."""
    ranges = minimisers(problem)
    low, high = (mean, mean) if ranges is None else (end / problem.design.y_scale for end in ranges)
    if np.array_equal(low, high):
        joined = interpolate(spline, low)
        return joined, closed_form_dual(joined)
    values, sums = least_norm_between(make_block(spline), spline.t, low, high)
    return interpolate(spline, values), sums


def interpolate(spline: Spline, target: Array) -> Spline:
    """Join the targets by straight lines; points in line with their neighbours are no nodes."""
    gaps, sizes = np.diff(spline.t), np.max(np.abs(target), initial=0.0)
    slope = np.diff(target) / gaps
    noise = 8 * np.finfo(float).eps * sizes * (1 / gaps[1:] + 1 / gaps[:-1])
    straight = np.concatenate(([False], np.abs(np.diff(slope)) <= noise, [False]))
    nodes = np.arange(len(target))
    joined = replace(spline, nodes=nodes, value=target, slope=slope, sign=np.zeros(len(target)))
    return signed(joined.without(straight))


def closed_form_dual(spline: Spline) -> Array:
    """Dual vector at the knots that proves ``spline.norm`` minimal for its values.

    Its hinge correlations reach the limit with the right sign at every kink and are linear between.
    """
    ends = spline.tilt / 2
    at_nodes = spline.kink_price(spline.tilt) * spline.sign
    at_nodes[0], at_nodes[-1] = ends, -ends
    kink = np.interp(spline.t, spline.t[spline.nodes], at_nodes)
    return np.diff(np.diff(kink) / np.diff(spline.t), prepend=0.0, append=0.0)


def check_limit(problem: LassoProblem) -> None:
    """Refuse the limit of no penalty where the minimisers of the loss are not known in closed form."""
    if problem.beta > 0 or problem.loss.quadratic or problem.design.one_column:
        return  # asked first: the question below sorts the data
    if not any(len(c.knots) == len(problem.design.e) for c in problem.design.columns):
        raise InputError(
            f"beta=0 with {problem.loss!r} and several columns (or exog, or no constant) needs a column of x "
            "without repeated values, so that the data can be met exactly; every column here has some. Use a "
            "small positive beta, one column of x with the constant, or the squared loss"
        )
