"""The restricted problem: an exact finish from any start, OSQP's included."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvxar.master import compress, finish, propose, support


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


@given(n=st.integers(3, 30), seed=st.integers(0, 9999))
def test_compression_keeps_inner_products(n, seed):
    rng = np.random.default_rng(seed)
    columns, target = rng.normal(size=(n, 3)), rng.normal(size=n)
    small, short = compress(columns, target)
    np.testing.assert_allclose(small.T @ small, columns.T @ columns, atol=1e-10)
    np.testing.assert_allclose(small.T @ short, columns.T @ target, atol=1e-10)


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
