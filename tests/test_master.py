"""The restricted problem: an exact finish from any start, OSQP's included."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvxar.activations import RELU
from cvxar.architectures import Feature
from cvxar.master import finish, propose, support
from cvxar.working import empty


@given(k=st.integers(1, 8), n=st.integers(1, 12), seed=st.integers(0, 9999), repeat=st.booleans())
def test_finish_satisfies_the_optimality_conditions_from_any_start(k, n, seed, repeat):
    rng = np.random.default_rng(seed)
    matrix, target = rng.normal(size=(n, k)), rng.normal(size=n) * 3
    if repeat:
        matrix = np.column_stack([matrix, matrix[:, 0] * 2])
    cost = rng.uniform(0.1, 1.0, matrix.shape[1])
    values = []
    for start in (
        np.zeros(len(cost)),
        rng.uniform(0, 1, len(cost)),
        propose(matrix, target, cost, np.zeros(len(cost))),
    ):
        x = finish(matrix, target, cost, start)
        slack = cost - matrix.T @ (target - matrix @ x)
        assert np.all(x >= 0)
        assert np.all(slack >= -1e-9 * (1 + np.abs(target).sum()))
        assert abs(float(x @ slack)) <= 1e-8 * (1 + float(target @ target))
        values.append(np.sum((target - matrix @ x) ** 2) / 2 + cost @ x)
    assert values == pytest.approx([values[0]] * 3, rel=1e-9)


def every_support(matrix, target, cost):
    """Smallest objective over all sets of active columns (the literal twin)."""
    best = float(target @ target) / 2
    for size in range(1, matrix.shape[1] + 1):
        for chosen in combinations(range(matrix.shape[1]), size):
            part = matrix[:, chosen]
            if np.linalg.matrix_rank(part) < size:
                continue
            x = np.linalg.solve(part.T @ part, part.T @ target - cost[list(chosen)])
            if np.all(x >= 0):
                best = min(best, np.sum((target - part @ x) ** 2) / 2 + cost[list(chosen)] @ x)
    return best


@given(k=st.integers(1, 6), n=st.integers(1, 9), seed=st.integers(0, 9999), warm=st.booleans())
def test_finish_equals_trying_every_support(k, n, seed, warm):
    rng = np.random.default_rng(seed)
    matrix, target = np.cumsum(rng.normal(size=(n, k)), axis=0), rng.normal(size=n) * 3
    cost = rng.uniform(0.1, 1.0, k)
    x = finish(matrix, target, cost, rng.uniform(0, 1, k) if warm else np.zeros(k))
    value = np.sum((target - matrix @ x) ** 2) / 2 + cost @ x
    assert value == pytest.approx(every_support(matrix, target, cost), rel=1e-9)


@given(n=st.integers(3, 30), seed=st.integers(0, 9999), near=st.sampled_from([1.0, 1e-6, 1e-12, 0.0]))
def test_the_growing_basis_keeps_columns_and_target(n, seed, near):
    """Columns added in two batches, the second nearly dependent on the first, are recovered."""
    rng = np.random.default_rng(seed)
    target, columns = rng.normal(size=n), rng.normal(size=(n, 2))
    columns = np.column_stack([columns, columns @ rng.normal(size=(2, 2)) + near * rng.normal(size=(n, 2))])
    features = [Feature(RELU, (1,), (float(i),)) for i in range(4)]
    work = empty(target).with_features(features[:2], np.ones(2), columns[:, :2])
    work = work.with_features(features[2:], np.ones(2), columns[:, 2:])
    r = work.basis.shape[1]
    np.testing.assert_allclose(work.basis.T @ work.basis, np.eye(r), atol=1e-13)
    np.testing.assert_allclose(work.basis @ work.coords, columns, atol=1e-12 * np.abs(columns).max())
    np.testing.assert_allclose(work.basis @ work.inside + work.outside, target, atol=1e-12)
    np.testing.assert_allclose(work.basis.T @ work.outside, 0, atol=1e-12)


def test_proposal_is_close_and_prints_nothing(capfd):
    rng = np.random.default_rng(0)
    matrix, target = rng.normal(size=(50, 10)), rng.normal(size=50)
    cost = np.full(10, 3.0)
    start = np.zeros(10)
    exact = finish(matrix, target, cost, start)
    rough = support(matrix, target, cost, propose(matrix, target, cost, start))
    np.testing.assert_allclose(rough, exact, atol=1e-2)
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""
