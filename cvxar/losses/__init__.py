"""Convex losses on ``residual = y - fitted``; one short file each, all in ``BY_NAME``."""

from cvxar.errors import InputTypeError, unknown_name
from cvxar.losses.absolute import Absolute
from cvxar.losses.base import Loss
from cvxar.losses.huber import Huber
from cvxar.losses.quantile import Quantile
from cvxar.losses.squared import Squared

BY_NAME: dict[str, Loss] = {
    "squared": Squared(),
    "absolute": Absolute(),
    "quantile": Quantile(),
    "huber": Huber(),
}

__all__ = ["BY_NAME", "Absolute", "Huber", "Loss", "Quantile", "Squared", "get"]


def get(loss: str | Loss) -> Loss:
    """Return a loss given its name or itself.

    Raises
    ------
    InputError
        For an unknown name (the message lists the known ones).
    InputTypeError
        For anything that is neither a name nor a :class:`Loss`.

    Examples
    --------
    >>> get("squared")
    Squared()
    """
    if isinstance(loss, Loss):
        return loss
    if not isinstance(loss, str):
        raise InputTypeError(f"loss must be a name or a cvxar.losses.Loss, got {type(loss).__name__}")
    if loss not in BY_NAME:
        raise unknown_name("loss", loss, BY_NAME)
    return BY_NAME[loss]
