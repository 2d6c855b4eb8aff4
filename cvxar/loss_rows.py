r"""Problems of a loss of bounded slope as rows for ``interior``.

Everything is divided by ``y_scale``: targets are ``design.e``, slopes stay those of the loss (times the
weights), curvatures are divided by ``y_scale``, and the penalty of a feature that was divided by the
range of its input is ``beta`` divided by that range.
"""

import numpy as np

from cvxar._typing import Array
from cvxar.design import Design
from cvxar.interior import Programme, RowOperator
from cvxar.losses import Loss


def programme_of(design: Design, loss: Loss, rows: RowOperator, cost: Array) -> Programme:
    """Join the rows of the observations and one row for each penalty."""
    none = np.zeros(len(cost))
    return Programme(
        rows,
        np.concatenate([design.e, none]),
        np.concatenate([loss.lower * design.weight, -cost]),
        np.concatenate([loss.upper * design.weight, cost]),
        np.concatenate([loss.curvature / (design.weight * design.y_scale), none]),
    )
