"""One-step forecasts of a nonlinear autoregression whose training window moves.

Every fit starts from the one before. For one lag, a two-layer network, squared loss and a penalty that is
given. The numbers are those of ``ConvexAR.fit`` and ``forecast(1)`` on each window, up to the tolerance of
the certificate.
"""

from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any

from cvxar import architectures
from cvxar._typing import Array
from cvxar.errors import CvxarError, InputError
from cvxar.incremental import IncrementalLasso, WindowSolution
from cvxar.lags import lags_or_none
from cvxar.settings import Settings

# what may differ from its default; any other setting calls for a fit in full
UNDERSTOOD = {"lags", "architecture", "skip", "beta", "beta_ratio", "extrapolation", "tol"}
# beyond as many changes a fit from nothing takes less time (windows of 500: 48, of 8,760: 200)
FARTHEST = 48


class SlidingFits:
    """Fits to moving windows of one series.

    Parameters
    ----------
    settings : Settings
        For which :func:`can_slide` holds.
    values : array (n,)
        The whole series; a fit reads the positions it is told to, and no others.
    in_full : callable
        Fits a model to an array from nothing; used for windows without two distinct values.

    Examples
    --------
    >>> import numpy as np
    >>> fits = SlidingFits(Settings(beta_ratio=1.0), np.array([8.0, 4.0, 2.0, 1.0, 3.0]), in_full=None)
    >>> fits.fit(0, 4)                          # a series that halves at every step
    >>> round(fits.forecast(4), 9), fits.relative_gap <= 1e-8
    (0.5, True)
    """

    def __init__(self, settings: Settings, values: Array, in_full: Callable[[Array], Any]) -> None:
        self.settings, self.values, self.in_full = settings, values, in_full
        self._window: IncrementalLasso | None = None
        self._solution: WindowSolution | None = None
        self._model: Any = None
        self._first = self._known = 0

    def fit(self, first: int, known: int) -> None:
        """Fit to the observations at positions ``first`` to ``known - 1``."""
        how = self.settings
        try:
            window = self._moved(first, known)
            given = (
                {"beta_ratio": how.beta_ratio} if how.beta_ratio is not None else {"beta": float(how.beta)}
            )
            self._solution, self._model = window.solve(**given, tol=how.tol), None
            if not self._solution.certificate.holds(how.tol):
                raise InputError("the tolerance was missed; a fit in full has other means")
        except InputError:
            self._window, self._solution = None, None
            self._model = self.in_full(self.values[first:known])
        self._first, self._known = first, known

    def _moved(self, first: int, known: int) -> IncrementalLasso:
        """The window with what is new and without what is old; sorted anew if that is far away."""
        window, values = self._window, self.values
        distance = abs(known - self._known) + abs(first - self._first)
        if window is None or known < self._known or first < self._first or distance > FARTHEST:
            how = self.settings
            inputs, targets = values[first : known - 1], values[first + 1 : known]
            self._window = IncrementalLasso(inputs, targets, architecture=how.architecture, skip=how.skip)
            return self._window
        for t in range(self._known, known):
            window.append(values[t - 1], values[t])
        for t in range(self._first, first):
            window.drop(values[t], values[t + 1])
        return window

    def forecast(self, known: int) -> float:
        """Forecast the observation after the first ``known`` ones."""
        if self._solution is None:
            later = self.values[self._known : known]
            model = self._model.append(later) if len(later) else self._model
            return float(model.forecast(1)["mean"].iloc[0])
        x = float(self.values[known - 1])
        inside = self._clipped(x) if self.settings.extrapolation == "ar" else x
        level = float(self._solution.predict([inside])[0])
        return level if inside == x else level + self._slope() * (x - inside)

    def _clipped(self, x: float) -> float:
        assert self._window is not None
        inputs = self._window.x
        return float(min(max(x, inputs[0]), inputs[-1]))

    def _slope(self) -> float:
        """Slope of the linear autoregression on the window of the last fit."""
        values = self.values[self._first : self._known]
        x, y = values[:-1] - values[:-1].mean(), values[1:] - values[1:].mean()
        return float(x @ y / (x @ x))

    @property
    def relative_gap(self) -> float:
        """Of the last fit."""
        proof = self._model.certificate_ if self._solution is None else self._solution.certificate
        return float(proof.relative_gap)


def can_slide(settings: Settings) -> bool:
    """Whether windows of a model can be moved from fit to fit.

    Examples
    --------
    >>> can_slide(Settings(beta_ratio=0.1)), can_slide(Settings(2, beta_ratio=0.1)), can_slide(Settings())
    (True, False, False)
    """
    default = {f.name: None if f.default is MISSING else f.default for f in fields(Settings)}
    other = [name for name, value in settings.get_params().items() if not _same(value, default.get(name))]
    given = settings.beta_ratio is not None or not isinstance(settings.beta, str)
    if not given or not UNDERSTOOD.issuperset(other):
        return False
    try:
        one_lag, shape = lags_or_none(settings.lags) == (1,), architectures.get(settings.architecture)
    except CvxarError:  # for the fit to complain of
        return False
    return one_lag and shape.hinge_cost is not None


def _same(value: Any, default: Any) -> bool:
    # not "is": a copy from another process is equal, not identical
    return type(value) is type(default) and bool(value == default)
