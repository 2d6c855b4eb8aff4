"""Models of statsmodels, and others built like them, as forecasters."""

import copy
from collections.abc import Callable
from typing import Any, Self

import numpy as np
import pandas as pd

from cvxar._typing import Array
from cvxar.errors import InputTypeError, NotFittedError
from cvxar.observations import Observations, extend, observe
from cvxar.options import check_flag


class Wrapped:
    """A model that takes its data when it is built: ``make(y).fit()``, then ``forecast`` of the result.

    Parameters
    ----------
    make : callable
        ``make(y)``, or ``make(y, exog=rows)`` for a model with exogenous columns, returns an object with
        ``fit()``, such as ``lambda y: AutoReg(y, 2)`` or ``lambda y: ARIMA(y, order=(1, 1, 1))``. ``y`` is an
        array of shape (n,): an index without frequency is refused by some of these models.
    takes_missing : bool, default False
        Whether the model takes missing values: state-space models such as ``ARIMA`` do, ``AutoReg`` not.
    **fit_options
        Handed to ``fit``.

    Attributes
    ----------
    result_ : object
        What ``fit`` returned.

    Notes
    -----
    Bands are taken from ``get_forecast(steps)`` or ``get_prediction`` of the result, where it has one.
    A result with ``append`` (``AutoReg``, state-space models) takes in later observations at fixed
    parameters; without it the model is fitted again.

    Examples
    --------
    >>> from statsmodels.tsa.ar_model import AutoReg
    >>> model = Wrapped(lambda y: AutoReg(y, 1)).fit([1.0, 3.0, 7.0, 15.0, 31.0])     # y_t = 1 + 2 y_{t-1}
    >>> model.forecast(2)["mean"].round(6).tolist()
    [63.0, 127.0]
    """

    def __init__(self, make: Callable[..., Any], *, takes_missing: bool = False, **fit_options: Any) -> None:
        check_flag("takes_missing", takes_missing)
        if not callable(make):
            raise InputTypeError(
                "make must be a function of the data, such as lambda y: AutoReg(y, 2), got "
                f"{type(make).__name__}"
            )
        self.make, self.takes_missing, self.fit_options = make, takes_missing, fit_options
        self.result_: Any = None
        self._known: Observations | None = None

    def fit(self, series: Any, exog: Any = None) -> Self:
        """Build the model on a series and fit it."""
        return self._fit(observe(series, exog, gaps=self.takes_missing, calendar=False))

    def _fit(self, known: Observations) -> Self:
        extra = {"exog": known.exog} if known.exog_names else {}
        self._known, self.result_ = known, self.make(known.values, **extra).fit(**self.fit_options)
        return self

    def append(self, new: Any, refit: bool = False, *, exog: Any = None) -> Self:
        """Return a model that also knows later observations; this one is unchanged."""
        before, model = self._observations(), copy.copy(self)
        after = extend(before, new, exog, gaps=self.takes_missing, calendar=False)
        count = len(after) - len(before)
        if refit or not hasattr(self.result_, "append"):
            return model._fit(after)
        extra = {"exog": after.exog[-count:]} if after.exog_names else {}
        model._known, model.result_ = after, self.result_.append(after.values[-count:], **extra)
        return model

    def forecast(self, steps: int = 1, *, exog: Any = None, level: Any = None) -> pd.DataFrame:
        """Forecast the next ``steps`` observations: column "mean", and bands where there are any.

        ``level`` is in per cent.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        """
        self._observations()
        extra = {} if exog is None else {"exog": np.asarray(exog, dtype=float)}
        mean = np.asarray(self.result_.forecast(steps, **extra), dtype=float)
        table = pd.DataFrame({"mean": mean})
        wanted = np.atleast_1d(level).tolist() if level is not None else []
        prediction = self._prediction(steps, extra) if wanted else None
        if prediction is None:
            return table
        for value in wanted:
            low, high = np.asarray(prediction.conf_int(alpha=1 - value / 100)).T
            table[f"lower_{value:g}"], table[f"upper_{value:g}"] = low, high
        return table

    def _observations(self) -> Observations:
        if self._known is None:
            raise NotFittedError("this model knows no data yet; call fit(series) first")
        return self._known

    def _prediction(self, steps: int, extra: dict[str, Array]) -> Any:
        """What knows the bands; None if nothing does."""
        if hasattr(self.result_, "get_forecast"):
            return self.result_.get_forecast(steps, **extra)
        if not hasattr(self.result_, "get_prediction"):
            return None
        n = len(self.result_.model.endog)
        names = {"exog": "exog_oos"}
        return self.result_.get_prediction(n, n + steps - 1, **{names[k]: v for k, v in extra.items()})
