"""Compressed rows: the same inner products, the same optimum, whatever the features in play."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import ARCHITECTURES, inputs, most_inputs

from cvxar import LassoProblem
from cvxar.certificate import certify
from cvxar.column_search import ColumnSearch
from cvxar.rows import DataRows, samples_of, segment_rows


@st.composite
def single_columns(draw):
    """One column of any architecture, with weights, with or without skip connection."""
    architecture = draw(st.sampled_from(ARCHITECTURES))
    n = draw(st.integers(2, most_inputs(architecture)))
    rng = np.random.default_rng(draw(st.integers(0, 9999)))
    x, weight = draw(inputs(n)), rng.uniform(0.1, 2.0, n) if draw(st.booleans()) else None
    problem = LassoProblem(
        x,
        rng.normal(size=n),
        beta=1.0,
        architecture=architecture,
        skip=draw(st.booleans()),
        sample_weight=weight,
    )
    return problem.with_beta(problem.beta_max * 10.0 ** draw(st.floats(-3, 0)))


@given(problem=single_columns(), data=st.data())
def test_compression_keeps_inner_products(problem, data):
    """Of features, target and columns carried from coarser stretches, with those of the data."""
    samples = samples_of(problem.design)
    plain, rows = DataRows(problem.design, samples), segment_rows(problem.design, samples)
    every = problem.design.columns[0].dictionary.enumerate()
    chosen = data.draw(st.lists(st.integers(0, max(len(every) - 1, 0)), max_size=6))
    features = [every[i] for i in chosen if every]
    columns = np.empty((len(rows.target), 0))
    for feature in features:
        rows, columns = rows.holding([feature], columns)
        columns = np.hstack([columns, rows.columns([feature], np.ones(1))])
    if not features:
        return
    literal = plain.columns(features, np.ones(len(features)))
    size = 1 + np.abs(literal).max() ** 2 * len(literal)
    np.testing.assert_allclose(columns.T @ columns, literal.T @ literal, atol=1e-12 * size)
    np.testing.assert_allclose(columns.T @ rows.target, literal.T @ plain.target, atol=1e-12 * size)
    amount = np.arange(1.0, len(features) + 1)
    residual = rows.residual(rows.target - columns @ amount)
    slow = plain.residual(plain.target - literal @ amount)
    np.testing.assert_allclose(residual, slow, atol=1e-11 * size)


@given(problem=single_columns())
def test_compressed_search_reaches_the_optimum_of_the_data(problem):
    optima = []
    for rows in (DataRows, None):
        search = ColumnSearch(problem, use_osqp=False)
        samples = search.samples
        search.rows = rows(problem.design, samples) if rows else segment_rows(problem.design, samples)
        work, residual, _ = search.run(search.start(None), 1e-12, 500)
        certificate = certify(problem, search.point(work), search.dual(residual))
        assert certificate.holds(1e-8)
        optima.append(certificate)
    slow, fast = optima
    assert fast.primal == pytest.approx(slow.primal, rel=1e-8, abs=slow.floor)
