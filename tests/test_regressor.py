"""ConvexNet is a scikit-learn regressor whose training objective is the certified optimum."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from cvxar.errors import InputError
from cvxar.problem import LassoProblem
from cvxar.regressor import ConvexNet


@parametrize_with_checks([ConvexNet(), ConvexNet(architecture="abs", skip=True, beta=0.1)])
def test_scikit_learn_accepts_it(estimator, check):
    check(estimator)


@pytest.mark.parametrize("architecture", ["relu", "leaky_relu", "abs"])
@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("columns", [1, 3])
def test_weights_and_residuals_have_the_certified_objective(architecture, skip, columns):
    rng = np.random.default_rng(3)
    x, weight = rng.normal(size=(60, columns)), rng.uniform(0.5, 2, size=60)
    y = np.abs(x).sum(axis=1) + 0.3 * rng.normal(size=60)
    share = LassoProblem(x, y, beta=0, architecture=architecture, skip=skip, sample_weight=weight).beta_max
    net = ConvexNet(architecture, skip=skip, beta=0.05 * share).fit(x, y, sample_weight=weight)
    residual = y - net.predict(x)
    objective = weight @ residual**2 / 2 + net.beta * net.network_.penalty()
    assert net.certificate_.holds(1e-8)
    assert objective == pytest.approx(net.certificate_.primal, rel=1e-9)
    assert net.beta_max_ == pytest.approx(share)
    assert net.network_.breakpoints


@pytest.mark.parametrize("bad", [{"beta": -1.0}, {"architecture": "rely"}, {"loss": "cubic"}])
def test_bad_arguments_raise_typed_errors(bad):
    with pytest.raises(InputError):
        ConvexNet(**bad).fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 1.0])
