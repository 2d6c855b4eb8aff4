"""The unpenalised coefficients that go best with given feature coefficients."""

import numpy as np

from cvxar._typing import Array, IntArray
from cvxar.architectures import Unit
from cvxar.coefficients import Coefficients
from cvxar.design import Design
from cvxar.problem import LassoProblem


def feature_part(design: Design, features: tuple[Unit, ...], coef: Array) -> Array:
    """Sum of the features at the observations, in the scaled units of ``design.e``; O(n k)."""
    total = np.zeros(len(design.e))
    for feature, z in zip(features, coef, strict=True):
        column = design.columns[feature.column]
        total += (z / design.y_scale * feature(column.knots))[column.position]
    return total


def with_free_part(
    problem: LassoProblem, features: tuple[Unit, ...], coef: Array, target: Array | None = None
) -> Coefficients:
    """Complete feature coefficients by the least-squares fit of the unpenalised columns to the rest.

    The rest of a scaled target, ``e`` by default. Where unpenalised columns depend on each other this is
    the fit of minimum norm.
    """
    rest = (problem.design.e if target is None else target) - feature_part(problem.design, features, coef)
    return with_free_coef(problem, features, coef, problem.design.free.least_squares(rest))


def with_free_coef(
    problem: LassoProblem, features: tuple[Unit, ...], coef: Array, free_coef: Array
) -> Coefficients:
    """Complete feature coefficients by given coefficients of ``free.values`` (in scaled units)."""
    design = problem.design
    free = design.y_scale * free_coef / design.free.scale
    constant, p, q = int(design.fit_intercept), len(design.columns), design.exog.shape[1]
    level = design.y_center + (float(free[0]) if constant else 0.0)
    linear = free[constant : constant + p] if design.skip else np.zeros(p)
    tail: IntArray = np.arange(len(free) - q, len(free))
    return Coefficients(features, coef, level, linear, design.anchors, free[tail], design.free.anchor[tail])
