"""``QuantileAR``: several conditional quantiles of a series, each certified, which never cross."""

import copy
from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, fields
from os import PathLike
from typing import Any, Self

import numpy as np
import pandas as pd

from cvxar._typing import Array
from cvxar.architectures import Architecture
from cvxar.certificate import Certificate
from cvxar.container import damaged
from cvxar.errors import InputError, NotFittedError
from cvxar.forecast import N_PATHS, Predictor
from cvxar.losses import Quantile
from cvxar.model import ConvexAR
from cvxar.observations import observe
from cvxar.options import check_count, check_levels, check_size, make_generator
from cvxar.persistence import read_models, write_models
from cvxar.quantile_paths import QuantileCurves, exceedances, simulate_quantiles, stratified
from cvxar.settings import set_arguments
from cvxar.stamps import future_index, locate
from cvxar.transforms import fit_scale


@dataclass(eq=False, repr=False)
class QuantileAR:
    r"""Neural quantile autoregression at several levels.

    .. math:: Q_\tau(y_t \mid y_{t-1}, \ldots) = c^\tau + \sum_l \left[ \phi^\tau_l\, y_{t-l}
              + g^\tau_l(y_{t-l}) \right], \qquad \tau \in \mathrm{levels}

    Every level is a :class:`cvxar.ConvexAR` with the pinball loss, trained to its own certified global
    optimum. Fits of different levels may cross where data are few; what this class returns is therefore
    the monotone rearrangement: at each point the values of all levels in increasing order, which is
    never farther from the true quantiles than the fits (Chernozhukov, Fernandez-Val, Galichon,
    Econometrica 2010). So quantiles never cross, on the data and beyond.

    Parameters
    ----------
    levels : sequence of float, default (0.05, 0.5, 0.95)
        Strictly between 0 and 1, in any order, no two equal.
    lags, trend, seasonal, period, architecture, skip, beta, beta_ratio, extrapolation, solver, tol, \
nonlinear_lags, hold_back
        As in :class:`cvxar.ConvexAR`, the same for all levels; a criterion chooses a penalty for each.
    transform : {None, "log", "sqrt", "boxcox", "diff", "logdiff"} or object, optional
        As in :class:`cvxar.ConvexAR`, and increasing. Quantiles are equivariant under increasing maps,
        :math:`Q_\tau(T(y)) = T(Q_\tau(y))`: those of the series are the inverted ones, without any
        correction for bias. The mean is that of the inverted paths.

    Attributes
    ----------
    models_ : dict
        The fitted ``ConvexAR`` of each level, increasing, before rearrangement.
    certificates_ : dict
        Proof of global optimality of each level.
    fittedvalues_ : DataFrame
        One column per level, sorted along each row, from the first observation that has all its lags; of
        the transformed series, as in ``ConvexAR`` (:meth:`predict` gives those of the series).
    crossings_ : float
        Share of those rows that sorting changed.

    Raises
    ------
    InputError
        At ``fit``: for levels outside (0, 1), equal ones, none, a transform that decreases; and as
        ``ConvexAR`` does.

    Notes
    -----
    Between levels the distribution is interpolated linearly; beyond the outermost ones, exceedances of
    the training data are resampled, as shares of the local distance between the two. Several steps
    ahead paths are simulated from that.

    Missing observations are allowed within the series, but not among the last ``max(lags)``, which the first
    forecast needs: unlike ``ConvexAR``, ``forecast`` does not simulate across a missing end.

    Examples
    --------
    A series that halves at every step has nothing uncertain, so all quantiles are the same:

    >>> model = QuantileAR(levels=(0.1, 0.5, 0.9), beta_ratio=1.0).fit([8.0, 4.0, 2.0, 1.0, 0.5])
    >>> model.forecast(2).round(6).to_numpy().tolist()
    [[0.25, 0.25, 0.25, 0.25], [0.125, 0.125, 0.125, 0.125]]
    """

    levels: Sequence[float] = (0.05, 0.5, 0.95)
    lags: int | Sequence[int] = 1
    _: KW_ONLY
    trend: str = "c"
    seasonal: bool = False
    period: int | None = None
    architecture: str | Architecture = "relu"
    skip: bool = True
    beta: float | str = "bic"
    beta_ratio: float | None = None
    transform: Any = None
    extrapolation: str = "ar"
    solver: str = "auto"
    tol: float = 1e-8
    nonlinear_lags: int | Sequence[int] | None = None
    hold_back: int | None = None

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor's arguments as a dictionary."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def set_params(self, **params: Any) -> Self:
        """Change constructor arguments; they take effect at the next ``fit``. InputError for another name."""
        set_arguments(self, params)
        return self

    def __repr__(self) -> str:
        default = {field.name: field.default for field in fields(self)}
        changed = {k: v for k, v in self.get_params().items() if repr(v) != repr(default[k])}
        return f"QuantileAR({', '.join(f'{k}={v!r}' for k, v in changed.items())})"

    def fit(self, series: Any, exog: Any = None) -> "QuantileAR":
        """Fit every level to a series; see :meth:`cvxar.ConvexAR.fit`."""
        levels = check_quantile_levels(self.levels)
        check_increasing(self.transform, observe(series, exog, gaps=True).values)
        shared = {k: v for k, v in self.get_params().items() if k != "levels"}
        return self._holding({q: ConvexAR(loss=Quantile(q), **shared).fit(series, exog) for q in levels})

    def _holding(self, models: dict[float, ConvexAR]) -> Self:
        """Keep fitted models and what the simulation needs of them."""
        self.models_ = models
        first = next(iter(models.values()))
        raw = np.column_stack([m.fittedvalues_.to_numpy() for m in models.values()])
        predictor, count = first._results.predictor, first.nobs_
        self._fitted = np.sort(raw, axis=1)
        self.crossings_ = float(np.mean(np.any(self._fitted != raw, axis=1)))
        # the lowest and highest fits of the training sample, later observations excluded
        tails = exceedances(predictor.targets[:count], self._fitted[:count])
        curves = [m._results.predictor.mean for m in models.values()]
        self._curves = QuantileCurves(np.array(list(models)), curves, *tails)
        return self

    def _fitted_models(self) -> dict[float, ConvexAR]:
        if "models_" not in vars(self):
            raise NotFittedError("that needs a fitted model; call fit(series) first")
        return self.models_

    @property
    def certificates_(self) -> dict[float, Certificate]:
        """Proof of global optimality of each level."""
        return {q: m.certificate_ for q, m in self._fitted_models().items()}

    @property
    def fittedvalues_(self) -> pd.DataFrame:
        """Sorted one-step quantiles of every observation that has all its lags, on the scale of the fit."""
        models = self._fitted_models()
        index = next(iter(models.values())).fittedvalues_.index
        return pd.DataFrame(self._fitted, index=index, columns=list(models))

    def predict(self, start: Any = None, end: Any = None) -> pd.DataFrame:
        """Return one-step quantiles of a stretch of the sample in its own units, one column per level.

        Parameters
        ----------
        start, end : label or position, optional
            First and last observation, both included; default: the whole sample. The first
            ``max(lags)`` rows are NaN.

        Raises
        ------
        InputError
            For a stretch that leaves the sample; :meth:`forecast` goes beyond.
        """
        models = self._fitted_models()
        predictor = next(iter(models.values()))._results.predictor
        index = predictor.known.index
        first = 0 if start is None else locate(index, start, "start")
        last = len(index) - 1 if end is None else locate(index, end, "end", last=True)
        if not 0 <= first <= last < len(index):
            raise InputError(
                f"predict covers the sample, positions 0 to {len(index) - 1}, got {first} to {last}; "
                "use forecast(steps) for what comes after"
            )
        rows = np.full((len(index), len(models)), np.nan)
        rows[predictor.rows] = _inverted(predictor, self._fitted)
        return pd.DataFrame(rows[first : last + 1], index=index[first : last + 1], columns=list(models))

    def forecast(
        self,
        steps: int,
        *,
        exog: Any = None,
        level: float | Iterable[float] | None = None,
        n_paths: int = N_PATHS,
        rng: Any = None,
    ) -> pd.DataFrame:
        """Forecast the quantiles and the mean of the observations after the sample.

        Parameters
        ----------
        steps : int
            How many observations ahead, at least 1.
        exog : array (steps,) or (steps, q), optional
            Future exogenous values; needed if and only if the model was fitted with some.
        level : number or sequence, optional
            Bands in per cent: 90 adds ``lower_90`` and ``upper_90``, which are the quantiles 0.05 and
            0.95 and must be among ``levels``.
        n_paths : int, default 1000
            Number of simulated paths.
        rng : None, int or numpy.random.Generator
            Seed of the simulation.

        Returns
        -------
        DataFrame
            ``mean``, then ``q5``, ``q50``, ... in per cent, then the bands. Exact at the first step, from
            simulated paths after it.

        Raises
        ------
        InputError
            For a band whose quantiles were not fitted, steps below 1, exogenous values missing.
        """
        models = self._fitted_models()
        steps, n_paths = check_count(steps, "steps"), check_count(n_paths, "n_paths", 2)
        bands = {band: self._band(band) for band in check_levels(level)}
        check_size(steps, n_paths)
        predictors = [m._results.predictor for m in models.values()]
        known, lags = predictors[0].known, predictors[0].lags
        stamps = future_index(known.index, steps)
        offsets = np.column_stack([p.future_offsets(exog, stamps) for p in predictors])
        uniform = stratified(steps, n_paths, make_generator(rng))
        scale, longest = predictors[0].scale, max(lags, default=0)
        _check_end(known.values, longest + scale.differenced)
        last, history = known.values[-1], predictors[0].values[len(known) - longest :]
        first, means, paths = simulate_quantiles(self._curves, lags, history, offsets, uniform)
        quantiles = np.quantile(scale.levels(paths, last), list(models), axis=1).T
        quantiles[0] = scale.levels(first[None, :], last)[0]
        if not scale.linear:
            means = scale.back(paths, last).mean(axis=1)
        elif scale.differenced:
            means = scale.levels(means[:, None], last)[:, 0]
        return _table(stamps, means, scale.invert(quantiles), list(models), bands)

    def _band(self, band: float) -> tuple[int, int]:
        """Positions of the two quantiles of a central band."""
        tail, levels = (1 - band / 100) / 2, np.array(list(self._fitted_models()))
        found = [int(np.argmin(np.abs(levels - q))) for q in (tail, 1 - tail)]
        if max(abs(levels[found[0]] - tail), abs(levels[found[1]] - (1 - tail))) > 1e-9:
            raise InputError(
                f"level={band:g} needs the quantiles {tail:g} and {1 - tail:g}, fitted were "
                f"{', '.join(f'{q:g}' for q in levels)}; add them to levels and fit again"
            )
        return found[0], found[1]

    def append(self, new: Any, refit: bool = False, *, exog: Any = None) -> "QuantileAR":
        """Return a model that also knows later observations; see :meth:`cvxar.ConvexAR.append`."""
        models = {q: m.append(new, refit, exog=exog) for q, m in self._fitted_models().items()}
        return copy.copy(self)._holding(models)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the fitted model as one file; see :meth:`cvxar.ConvexAR.save`."""
        write_models(path, "QuantileAR", [m._results for m in self._fitted_models().values()])

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a model that :meth:`save` wrote; see :meth:`cvxar.ConvexAR.load`."""
        fits = read_models(path, "QuantileAR")
        shared = [{k: v for k, v in fit.settings.get_params().items() if k != "loss"} for fit in fits]
        levels = [fit.settings.loss.tau for fit in fits if isinstance(fit.settings.loss, Quantile)]
        index = fits[0].predictor.known.index
        same = all(f.predictor.known.index.equals(index) and f.count == fits[0].count for f in fits)
        if not same or len(set(levels)) < len(fits) or any(s != shared[0] for s in shared):
            raise damaged(path, "its models are not several quantiles of one series")
        models = {q: ConvexAR._of(fit) for q, fit in zip(levels, fits, strict=True)}
        arguments = {field.name: shared[0][field.name] for field in fields(cls) if field.name != "levels"}
        return cls(tuple(levels), **arguments)._holding(models)

    def summary(self) -> pd.DataFrame:
        """Return one row per level: penalty, units, breakpoints, share of observations below, proven gap."""
        rows = {
            q: {
                "beta": m.beta_,
                "beta_ratio": m.beta_ / m.beta_max_ if m.beta_max_ > 0 else np.nan,
                "units": m.network_.n_units,
                "breakpoints": len(m.breakpoints_),
                "below": float((m.resid_ < 0).mean()),
                "relative_gap": m.certificate_.relative_gap,
            }
            for q, m in self._fitted_models().items()
        }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("level")


def check_quantile_levels(levels: Any) -> tuple[float, ...]:
    """Return quantile levels in increasing order, or raise InputError.

    Examples
    --------
    >>> check_quantile_levels([0.9, 0.1])
    (0.1, 0.9)
    """
    given = [levels] if isinstance(levels, int | float) else list(levels)
    if not given:
        raise InputError("levels is empty; give at least one level between 0 and 1")
    for q in given:
        if not isinstance(q, int | float | np.floating) or isinstance(q, bool) or not 0 < q < 1:
            raise InputError(
                f"levels must lie strictly between 0 and 1, got {q!r}; 0.95 is the 95 % quantile"
            )
    ordered = tuple(sorted(float(q) for q in given))
    if len(set(ordered)) < len(ordered):
        raise InputError(f"levels has the same level twice: {given!r}")
    return ordered


def check_increasing(transform: Any, values: Array) -> None:
    """Raise InputError unless a transform can be fitted to the values, and keeps their order.

    Examples
    --------
    >>> check_increasing("log", np.array([2.0, 1.0, np.nan]))
    """
    scale = fit_scale(transform, values)
    steps = np.diff(scale.apply(np.unique(values[np.isfinite(values)])))
    if np.any(steps < 0):
        raise InputError(
            f"transform {scale.level!r} decreases, so that a low quantile of the transformed series is a "
            "high one of the series; use its negative, which increases"
        )


def _inverted(predictor: Predictor, quantiles: Array) -> Array:
    """One-step quantiles (m, k) of the fitted rows in the units of the series."""
    scale = predictor.scale
    if scale.differenced:
        quantiles = quantiles + scale.apply(predictor.known.values[predictor.rows - 1])[:, None]
    return scale.invert(quantiles)


def _check_end(values: Array, count: int) -> None:
    """Raise unless the last observations, which the first forecast needs, are known."""
    history = values[len(values) - count :]
    if np.isnan(history).any():
        raise InputError(
            f"the last {count} observation(s) must be known to forecast from, and "
            f"{int(np.isnan(history).sum())} are missing; fill them or drop the end of the series"
        )


def _table(
    stamps: pd.Index, means: Array, quantiles: Array, levels: list[float], bands: dict[float, tuple[int, int]]
) -> pd.DataFrame:
    columns = {"mean": means}
    columns |= {f"q{100 * q:g}": quantiles[:, j] for j, q in enumerate(levels)}
    for band, (low, high) in bands.items():
        columns |= {f"lower_{band:g}": quantiles[:, low], f"upper_{band:g}": quantiles[:, high]}
    return pd.DataFrame(columns, index=stamps)
