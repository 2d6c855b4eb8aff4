"""A trained network as a PyTorch module. The only file that imports torch."""

from typing import Any

import torch

from cvxar._typing import Array
from cvxar.activations import Homogeneous
from cvxar.integrations.blueprint import Blueprint


class TorchNetwork(torch.nn.Module):
    """The network in double precision: x of shape (n,) or (n, p) to (n,).

    All weights are parameters, so training can go on: ``weights`` and ``biases`` (one per hidden layer),
    ``outer``, ``linear`` and ``bias``, laid out as in :class:`~cvxar.integrations.blueprint.Blueprint`.
    Sign and threshold units have no gradient. A forward pass costs O(n k L).

    Parameters
    ----------
    blueprint : Blueprint

    Examples
    --------
    >>> import numpy as np
    >>> from cvxar.activations import ABS
    >>> one = np.ones((1, 1, 1)), np.zeros((1, 1))
    >>> net = TorchNetwork(Blueprint(ABS, np.array([0]), (one,), np.array([2.0]), np.array([0.0]), 1.0))
    >>> net(torch.tensor([-3.0, 4.0], dtype=torch.float64)).tolist()        # 1 + 2 |x|
    [7.0, 9.0]
    """

    def __init__(self, blueprint: Blueprint) -> None:
        super().__init__()
        self.sigma = blueprint.sigma
        self.register_buffer("columns", torch.as_tensor(blueprint.columns.copy(), dtype=torch.int64))
        self.weights = torch.nn.ParameterList([_parameter(weight) for weight, _ in blueprint.hidden])
        self.biases = torch.nn.ParameterList([_parameter(bias) for _, bias in blueprint.hidden])
        self.outer = _parameter(blueprint.outer)
        self.linear = _parameter(blueprint.linear)
        self.bias = _parameter(blueprint.bias)

    def forward(self, x: Any) -> Any:
        """Evaluate layer by layer."""
        x = x[:, None] if x.ndim == 1 else x
        hidden = x[:, self.columns, None]
        for weight, bias in zip(self.weights, self.biases, strict=True):
            hidden = self._activate(torch.einsum("koi,nki->nko", weight, hidden) + bias)
        return hidden[:, :, 0] @ self.outer + x @ self.linear + self.bias

    def _activate(self, values: Any) -> Any:
        if isinstance(self.sigma, Homogeneous):
            return values.clamp(min=0.0) + self.sigma.negative_slope * values.clamp(max=0.0)
        low = torch.full_like(values, self.sigma.low)
        return torch.where(values >= 0, torch.ones_like(values), low)


def _parameter(values: Array | float) -> Any:
    # a copy: the arrays of a network are not to change when the module is trained
    return torch.nn.Parameter(torch.tensor(values, dtype=torch.float64))
