"""Every breakpoint says truly why it is where it is."""

import numpy as np
import pytest
from hypothesis import given, settings
from problems import ARCHITECTURES, problems

from cvxar import LassoProblem, solve
from cvxar.architectures import DeepNarrow
from cvxar.reflections import SIMPLEST, origins, reflect

RULES = {"R": reflect, "M": lambda a, b: (a + b) / 2, "G": lambda a, b, c: b + c - a}


@settings(max_examples=40)
@given(problem=problems(max_n=15, max_columns=2))
def test_breakpoints_follow_from_data_points(problem):
    """The formula gives the location, its points are data, and nothing is left unexplained."""
    for b in solve(problem).network.breakpoints:
        x = problem.x[:, b.column]
        spread = np.ptp(x)
        assert set(b.points) <= set(x.tolist())
        assert b.label in SIMPLEST[:-1]
        value = eval(b.formula, RULES)
        assert value == pytest.approx(b.location, abs=1e-8 * spread + 1e-10 * np.abs(x).max())


@pytest.mark.parametrize("depth", [3, 4])
def test_every_vertex_of_absolute_value_chains_is_explained(depth):
    knots = np.array([0.0, 1.0, 3.7, 9.1])
    labels = set()
    for feature in DeepNarrow("abs", depth).dictionary(knots).enumerate():
        for where, origin in origins(feature).items():
            assert eval(origin.formula, RULES) == pytest.approx(where, abs=1e-7)
            labels.add(origin.label)
    assert labels >= {"data point", "reflection", "midpoint"}
    assert "other" not in labels


@pytest.mark.parametrize(
    "name", [a for a in ARCHITECTURES if a.sigma.name in {"relu", "leaky_relu"}], ids=repr
)
def test_monotone_and_capped_units_bend_at_data_points_only(name):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=9), rng.normal(size=9)
    problem = LassoProblem(x, y, beta=1.0, architecture=name)
    network = solve(problem.with_beta(0.01 * problem.beta_max)).network
    assert network.breakpoints
    assert {b.label for b in network.breakpoints} == {"data point"}
    assert {b.location for b in network.breakpoints} <= set(x.tolist())
