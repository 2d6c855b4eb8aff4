"""Every breakpoint says truly why it is where it is."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from problems import ARCHITECTURES, problems

from cvxar import LassoProblem, solve
from cvxar.activations import Step
from cvxar.architectures import DeepNarrow
from cvxar.architectures.symmetrized import valley
from cvxar.reflections import SIMPLEST, origins, reflect

RULES = {"R": reflect, "M": lambda a, b: (a + b) / 2, "G": lambda a, b, c: b + c - a}


@settings(max_examples=40)
@given(problem=problems(max_n=15, max_columns=2))
def test_breakpoints_follow_from_data_points(problem):
    """The formula gives the location, its points are data, and nothing is left unexplained."""
    network = solve(problem).network
    assert network.n_breakpoints == len(network.breakpoints)
    for b in network.breakpoints:
        x = problem.x[:, b.column]
        spread = np.ptp(x)
        assert set(b.points) <= set(x.tolist())
        assert b.label in SIMPLEST[:-1]
        assert b.origin.location == b.location
        value = eval(b.formula, RULES)
        assert value == pytest.approx(b.location, abs=1e-8 * spread + 1e-10 * np.abs(x).max())


@settings(max_examples=40)
@given(problem=problems(max_n=15, max_columns=2))
def test_a_breakpoint_names_the_units_that_make_it(problem):
    network = solve(problem).network
    for b in network.breakpoints:
        bend = jump = size = 0.0
        for i in b.units:
            kinks, z = network.point.features[i].kinks(), network.point.coef[i]
            here = kinks.points == b.location
            assert here.any()
            bend, jump = bend + z * kinks.changes[here].sum(), jump + z * kinks.jumps[here].sum()
            size += abs(z) * (np.abs(kinks.changes[here]).sum() + np.abs(kinks.jumps[here]).sum())
        assert (bend, jump) == pytest.approx((b.slope_change, b.jump), abs=1e-9 * size)


@pytest.mark.parametrize("name", [a for a in ARCHITECTURES if isinstance(a.sigma, Step)], ids=repr)
def test_steps_jump_halfway_between_neighbouring_data_points(name):
    """Also where a reflection of other points would fall on the same place, as on this even grid."""
    x = np.arange(9.0)
    y = np.sin(3 * x) + 0.1 * x
    problem = LassoProblem(x, y, beta=1.0, architecture=name)
    breakpoints = solve(problem.with_beta(0.05 * problem.beta_max)).network.breakpoints
    assert breakpoints
    for b in breakpoints:
        below = np.floor(b.location)
        assert (b.label, b.points) == ("midpoint", (below, below + 1))
        assert b.location == below + 0.5
        assert b.jump != 0


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


def test_the_fourth_point_of_a_valley_is_a_generalised_reflection():
    """Both walls of a symmetrised unit are equally high: of four kinks, three fix the fourth."""
    unit = replace(valley(0.0, 1.0, 3.5, 4.5, 0), points=(0.0, 1.0, 3.5))
    assert [(o.label, o.formula) for o in origins(unit).values()] == [
        *(("data point", f"{p:g}") for p in (0.0, 1.0, 3.5)),
        ("generalised reflection", "G(0, 1, 3.5)"),
    ]
    assert origins(unit)[4.5].points == (0.0, 1.0, 3.5)
