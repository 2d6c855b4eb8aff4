"""What users are told: messages that name the way out, and short printed forms."""

import numpy as np
import pandas as pd
import pytest

from cvxar import ConvexAR, QuantileAR
from cvxar.errors import InputError, ModelFileError
from cvxar.orders import select_order

VALUES = np.random.default_rng(0).normal(size=40)


def test_a_file_of_the_other_class_names_its_reader(tmp_path):
    for model, other in ((ConvexAR(beta_ratio=0.9), QuantileAR), (QuantileAR(beta_ratio=0.9), ConvexAR)):
        model.fit(VALUES).save(tmp_path / "model")
        with pytest.raises(ModelFileError, match=f"read it with {type(model).__name__}.load"):
            other.load(tmp_path / "model")


@pytest.mark.parametrize("lags", [-1, [0], [1, 1], []])
def test_bad_lags_do_not_deny_that_there_may_be_none(lags):
    with pytest.raises(InputError, match="None or 0 for none"):
        ConvexAR(lags).fit(VALUES)


def test_an_infinite_future_value_is_not_said_to_be_fitted():
    model = ConvexAR(beta_ratio=1.0).fit(VALUES, np.arange(40.0) ** 2)
    with pytest.raises(InputError, match="fill or drop it, for example"):
        model.forecast(1, exog=[np.inf])


def test_an_order_selection_prints_its_choice_alone():
    chosen = select_order(VALUES, 1)
    assert repr(chosen) == f"OrderSelection(criterion='bic', lags={chosen.lags}, beta={chosen.beta:.6g})"


def test_a_year_given_as_an_offset_is_refused():
    years = pd.Series(VALUES, index=range(1961, 2001))
    model = ConvexAR(beta_ratio=1.0).fit(years)
    with pytest.raises(InputError, match="beyond end; give at most 11"):
        model.predict(1990, 2000, dynamic=1995)
    assert len(model.predict(1990, 2000, dynamic=5)) == 11


def test_quantile_models_print_and_change_their_arguments():
    model = QuantileAR(skip=False).set_params(lags=2)
    assert repr(model) == "QuantileAR(lags=2, skip=False)"
    with pytest.raises(InputError, match="lag"):
        model.set_params(lag=2)


@pytest.mark.parametrize("architecture", ["relu", "deep_abs", "symmetrized_relu", "tree_sign"])
def test_a_network_is_shown_in_one_line_and_printed_with_every_number(architecture):
    model = ConvexAR(2, architecture=architecture, beta_ratio=0.05).fit(VALUES)
    network = model.network_
    units = "1 unit" if network.n_units == 1 else f"{network.n_units} units"
    assert repr(network) == f"Network({network.activation}, depth {network.depth}, {units}, 2 inputs)"
    first, shared, *lines = str(network).splitlines()
    assert first == repr(network)
    assert shared.endswith(f"bias {network.bias}, linear {network.linear.tolist()}")
    assert network.n_units == len(lines) > 0
    for i, (line, unit) in enumerate(zip(lines, network.to_dict()["units"], strict=True)):
        coef = unit.pop("coef")
        assert line == f"unit {i}: coefficient {coef}, " + ", ".join(f"{k} {v}" for k, v in unit.items())
