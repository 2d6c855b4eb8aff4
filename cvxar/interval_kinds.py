"""Which kind of interval each model of a backtest is asked for."""

from collections.abc import Mapping
from typing import Any

from cvxar.errors import InputError, InputTypeError, unknown_name
from cvxar.forecasters import accepted
from cvxar.intervals import BY_NAME
from cvxar.model import ConvexAR
from cvxar.options import check_name


def choose_intervals(wanted: Any, models: Mapping[str, Any], levels: tuple[float, ...]) -> dict[str, str]:
    """Return the kind of interval by model, of those that are asked for one.

    Parameters
    ----------
    wanted : str, mapping of str to str, or None
        One kind for every model that can be asked, or a kind by model.
    models : mapping of str to forecaster
    levels : tuple of float
        Bands in per cent.

    Raises
    ------
    InputError, InputTypeError
        For kinds without levels, a name that is not among the models, a model that cannot be asked, a kind
        that :class:`cvxar.ConvexAR` does not have.

    Examples
    --------
    >>> models = {"ours": ConvexAR(), "zero": lambda series, horizon: [0.0] * horizon}
    >>> choose_intervals("conformal", models, (80.0,)), choose_intervals(None, models, (80.0,))
    ({'ours': 'conformal'}, {})
    """
    if wanted is None:
        return {}
    if not levels:
        raise InputError(
            f"intervals={wanted!r} is about bands, and there are none; add level=80, for example"
        )
    able = [name for name, model in models.items() if _takes_intervals(model)]
    if not able:
        raise InputError(
            f"intervals={wanted!r} reaches no model: none has forecast(..., intervals=); leave it out"
        )
    given = dict(wanted) if isinstance(wanted, Mapping) else dict.fromkeys(able, wanted)
    for name, kind in given.items():
        _check(name, kind, models, able)
    return given


def _check(name: Any, kind: Any, models: Mapping[str, Any], able: list[str]) -> None:
    if name not in models:
        raise unknown_name("model in intervals", name, models)
    if name not in able:
        raise InputError(
            f"intervals[{name!r}]: the forecasts of {type(models[name]).__name__} take no intervals; leave "
            f"it out, its bands are its own (those of {', '.join(map(repr, able))} can be chosen)"
        )
    if not isinstance(kind, str):
        raise InputTypeError(
            f"intervals must be a kind such as 'conformal', or a mapping of models to kinds, got {kind!r}"
        )
    if isinstance(models[name], ConvexAR):
        check_name("intervals", kind, tuple(BY_NAME))


def _takes_intervals(forecaster: Any) -> bool:
    """Whether its forecasts can be asked for a kind of interval."""
    return bool(accepted(getattr(forecaster, "forecast", forecaster), {"intervals": ""}))
