"""The lags and the penalty of an autoregression, chosen together by an information criterion."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pandas as pd

from cvxar.criteria import CRITERIA, describe
from cvxar.errors import InputError
from cvxar.lags import check_subset, lags_or_none
from cvxar.model import ConvexAR
from cvxar.options import check_count, check_flag, check_name

# subsets of so many lags are 4096 paths
MOST_GLOBAL = 12


@dataclass(frozen=True, repr=False)
class OrderSelection:
    """Lags and penalty chosen by :func:`select_order`.

    ``beta`` is that of the table; the model is refitted on all its rows at the same share of ``beta_max_``.

    Parameters
    ----------
    criterion : str
        What chose them.
    table : DataFrame
        Every combination of lags and penalty tried, best first: ``lags`` (a tuple), then the columns of
        ``ConvexAR.path_``.
    model : ConvexAR
        The lags chosen, fitted with the penalty chosen (as a share of ``beta_max_``) to all observations
        that have these lags. These are more rows than the table's, so its ``beta_`` is another.
    """

    criterion: str
    table: pd.DataFrame
    model: ConvexAR

    @property
    def lags(self) -> tuple[int, ...]:
        """Lags chosen."""
        lags: tuple[int, ...] = self.table["lags"].iloc[0]
        return lags

    @property
    def beta(self) -> float:
        """Penalty chosen, on the rows that all candidates share; ``model.beta_`` is that of the refit."""
        return float(self.table["beta"].iloc[0])

    def __repr__(self) -> str:
        return f"OrderSelection(criterion={self.criterion!r}, lags={self.lags}, beta={self.beta:.6g})"


def select_order(
    series: Any,
    maxlag: int,
    *,
    criterion: str = "bic",
    glob: bool = False,
    exog: Any = None,
    **settings: Any,
) -> OrderSelection:
    """Choose lags and penalty together, as ``statsmodels.tsa.ar_model.ar_select_order`` chooses lags.

    Every candidate is fitted to the same observations, those after the first ``maxlag``. The winner is then
    refitted on all its rows at the same share of ``beta_max_``, unless ``beta`` is given.

    Parameters
    ----------
    series, exog
        As for :meth:`cvxar.ConvexAR.fit`.
    maxlag : int
        Largest lag tried.
    criterion : {"bic", "aic", "hqic"}, default "bic"
        What is minimised, over lags and along the path of penalties of each.
    glob : bool, default False
        False tries lags 1 to p for p = 0, ..., ``maxlag``; True all subsets (``maxlag`` at most 12).
    **settings
        Further arguments of :class:`cvxar.ConvexAR`; with ``beta`` or ``beta_ratio`` only lags are chosen.
        ``nonlinear_lags`` are the ones among them that a candidate has.

    Raises
    ------
    InputError, InputTypeError
        For arguments or data that cannot be used; for ``lags`` and ``hold_back``, which are chosen here.

    Notes
    -----
    Cost: one path per candidate, ``maxlag + 1`` of them or ``2 ** maxlag``. The path of a candidate is
    left where its criterion is out of reach of its own best value.

    Examples
    --------
    >>> import numpy as np
    >>> shocks = np.random.default_rng(0).normal(size=300)
    >>> values = np.zeros(300)
    >>> for t in range(2, 300):
    ...     values[t] = 0.9 * abs(values[t - 2]) + shocks[t]
    >>> chosen = select_order(values, 3, glob=True)
    >>> chosen.lags, len(chosen.model.breakpoints_) > 0
    ((2,), True)
    """
    check_name("criterion", criterion, tuple(CRITERIA))
    maxlag = check_count(maxlag, "maxlag")
    check_flag("glob", glob)
    given = {"lags", "hold_back"} & set(settings)
    if given:
        raise InputError(f"{', '.join(sorted(given))} cannot be given: select_order chooses the lags")
    if isinstance(settings.get("beta"), str):
        raise InputError(
            f"beta={settings['beta']!r} cannot be given: criterion={criterion!r} chooses the penalty"
        )
    if settings.get("nonlinear_lags") is not None:
        check_subset(settings["nonlinear_lags"], range(1, maxlag + 1))
    if glob and maxlag > MOST_GLOBAL:
        raise InputError(f"glob=True tries all subsets of at most {MOST_GLOBAL} lags; got maxlag={maxlag}")
    if "beta_ratio" not in settings:
        settings = {"beta": criterion, **settings}
    tables = [_candidate(series, exog, lags, maxlag, settings) for lags in _candidates(maxlag, glob)]
    table = pd.concat(tables, ignore_index=True).sort_values(criterion, kind="stable", ignore_index=True)
    best = table.iloc[0]
    # the same share of beta_max, which depends a little on the observations: a linear choice stays linear
    chosen = isinstance(settings.get("beta", "bic"), str)
    final = {**settings, "beta_ratio": min(float(best["beta_ratio"]), 1.0)} if chosen else settings
    model = _model(best["lags"], final).fit(series, exog)
    return OrderSelection(criterion, table, model)


def _candidates(maxlag: int, glob: bool) -> Iterator[tuple[int, ...]]:
    every = range(1, maxlag + 1)
    for count in range(maxlag + 1):
        yield from combinations(every, count) if glob else [tuple(every[:count])]


def _model(lags: tuple[int, ...], settings: dict[str, Any], hold_back: int | None = None) -> ConvexAR:
    wanted = settings.get("nonlinear_lags")
    own = None if wanted is None else [lag for lag in lags_or_none(wanted) if lag in lags] or 0
    return ConvexAR(lags or None, **{**settings, "nonlinear_lags": own}, hold_back=hold_back)


def _candidate(
    series: Any, exog: Any, lags: tuple[int, ...], maxlag: int, settings: dict[str, Any]
) -> pd.DataFrame:
    """Return the rows of one candidate: its path, or its fit where the penalty is given."""
    model = _model(lags, settings, hold_back=maxlag).fit(series, exog)
    table = model.path_
    if table is None:
        table = pd.DataFrame([describe(model.solution_)])
        table.insert(1, "beta_ratio", model.beta_ / model.beta_max_ if model.beta_max_ > 0 else 1.0)
    table = table.copy()
    table.insert(0, "lags", pd.Series([lags] * len(table), dtype=object))
    return table
