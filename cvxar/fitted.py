"""What a fitted autoregression shows: its results as attributes, in a summary, and in pictures."""

from typing import Any

import pandas as pd

from cvxar.certificate import Certificate
from cvxar.diagnostics import REPLICATIONS, diagnose
from cvxar.errors import NotFittedError
from cvxar.inference import interval
from cvxar.network import Breakpoint, Network
from cvxar.options import check_share
from cvxar.results import Results
from cvxar.results_plots import draw_diagnostics, draw_fit, draw_network, draw_path
from cvxar.settings import Settings, Terms
from cvxar.solution import Solution
from cvxar.summary import summarise


class Fitted(Settings):
    """Arguments, and the results of a fit under their names with a trailing underscore.

    See :class:`cvxar.ConvexAR`, which makes them and says what they mean.
    """

    network_: Network
    certificate_: Certificate
    solution_: Solution
    terms_: Terms
    beta_: float
    beta_max_: float
    params_: pd.Series
    bse_: pd.Series
    tvalues_: pd.Series
    pvalues_: pd.Series
    regimes_: pd.DataFrame
    fittedvalues_: pd.Series
    resid_: pd.Series
    nobs_: int
    llf_: float
    aic_: float
    bic_: float
    hqic_: float
    breakpoints_: tuple[Breakpoint, ...]
    path_: pd.DataFrame | None
    _results: Results

    def __getattr__(self, name: str) -> Any:
        # reached only for attributes that are not there: results are computed when first asked for
        if name not in Fitted.__annotations__:
            hint = f"; did you mean {name}_?" if f"{name}_" in Fitted.__annotations__ else ""
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{hint}")
        if "_results" not in vars(self):
            what = "that" if name.startswith("_") else name
            raise NotFittedError(f"{what} needs a fitted model; call fit(series) first")
        return getattr(self._results, name.removesuffix("_"))

    def __dir__(self) -> list[str]:
        return sorted([*super().__dir__(), *Fitted.__annotations__])

    def __sklearn_is_fitted__(self) -> bool:
        return "_results" in vars(self)

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Return normal intervals of ``params_`` for probability ``1 - alpha``, conditional as ``bse_`` is.

        Raises
        ------
        InputError
            For an ``alpha`` outside (0, 1).
        """
        check_share("alpha", alpha)
        return interval(self._results.inference, alpha)

    def summary(self) -> Any:
        """Return a statsmodels-style summary; print it, or use ``as_text``, ``as_html``, ``as_latex``.

        Sample, penalty, certificate, linear parameters, and for every lag its regimes: intervals
        in data units with their slopes, and standard errors conditional on the breakpoints. Names are
        text in HTML and LaTeX, whatever letters they have; LaTeX needs the package booktabs.
        """
        return summarise(self._results)

    def diagnostics(
        self, lags: int | None = None, *, replications: int = REPLICATIONS, rng: Any = 0
    ) -> pd.DataFrame:
        """Test the residuals, and the linear autoregression against the fitted network.

        Parameters
        ----------
        lags : int, optional
            Of the serial tests; a fifth of the residuals, at most 10, by default.
        replications : int, default 99
            Of the bootstrap of the linearity test (:func:`cvxar.diagnostics.linearity`), each a fit; a
            penalty that was chosen is not chosen again.
        rng : None, int or numpy.random.Generator
            Seed of the bootstrap.

        Returns
        -------
        DataFrame
            Columns ``statistic`` and ``pvalue``; rows Ljung-Box (no autocorrelation; its degrees of freedom
            are less by the number of lags), Jarque-Bera (normality), ARCH-LM (constant variance), linearity.
            Serial tests use the longest stretch without a gap. NaN where there are too few residuals.
        """
        return diagnose(self._results, lags, replications, rng)

    def plot_fit(self, ax: Any = None) -> Any:
        """Draw the series and its one-step fits over time; return the axes. Needs matplotlib."""
        return draw_fit(self._results, ax)

    def plot_network(self, ax: Any = None) -> Any:
        """Draw the map of every lag: data, AR line, regimes, units, and what breakpoints mirror.

        Beyond the data (dotted) the map goes on as forecasts do, see ``extrapolation``. Needs matplotlib.

        Parameters
        ----------
        ax : matplotlib Axes, or one for each lag, optional
            Made when not given, at most three abreast.

        Returns
        -------
        matplotlib Axes, or an array of them with several lags
            See :func:`cvxar.plots.plot_network`.
        """
        return draw_network(self._results, ax)

    def plot_path(self, ax: Any = None) -> Any:
        """Draw breakpoints and the criterion along the path of penalties; return both axes.

        Parameters
        ----------
        ax : pair of matplotlib Axes, optional
            Made when not given.

        Raises
        ------
        InputError
            When the penalty was given, so that there is no path.
        """
        return draw_path(self._results, ax)

    def plot_diagnostics(self, lags: int | None = None, ax: Any = None) -> Any:
        """Draw the residuals: over time, histogram, normal quantiles, autocorrelations; return 2 x 2 axes.

        Parameters
        ----------
        lags : int, optional
            Of the autocorrelations.
        ax : array of 4 matplotlib Axes, optional
            Made when not given.
        """
        return draw_diagnostics(self._results, lags, ax)
