"""The printed summary of a fitted autoregression."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from cvxar._typing import Array
from cvxar.network import Breakpoint
from cvxar.piecewise import PiecewiseLinear
from cvxar.results import Results

# a table of more regimes than this cannot be read; the rest is in ``breakpoints_``
MAX_REGIMES = 20

OUTSIDE = {
    "ar": "Beyond the training range of a lag, forecasts continue with the slope of the linear (AR) fit.",
    "network": "Beyond the training range of a lag, forecasts follow the network's outermost slopes.",
}


def summarise(model: Results) -> Any:
    """Return a ``statsmodels.iolib.summary.Summary`` of a fitted model."""
    from statsmodels.iolib.summary import Summary

    summary, frame = Summary(), model.frame
    name = "y" if model.predictor.known.name is None else str(model.predictor.known.name)
    summary.add_table_2cols(
        None,
        title="ConvexAR Results",
        gleft=[(label, [value]) for label, value in _identity(model, name)],
        gright=[(label, [value]) for label, value in _quality(model)],
        yname=name,
        xname=list(map(str, model.params.index)),
    )
    summary.tables.append(_linear_table(model.params))
    summary.tables.extend(
        _regime_table(frame.names[j], model.network.pieces(i), frame.x[:, j], _of(model, i))
        for i, j in enumerate(model.terms.curved)
    )
    summary.add_extra_txt(list(_notes(model)))
    return summary


def _identity(model: Results, name: str) -> Iterable[tuple[str, str]]:
    lags, frame = model.terms.lags, model.frame
    listed = str(len(lags)) if lags == tuple(range(1, len(lags) + 1)) else ", ".join(map(str, lags))
    network = model.network
    yield "Dep. Variable:", name
    yield "Model:", f"ConvexAR({listed}){'-X' if model.predictor.known.exog_names else ''}"
    yield "Network:", f"{network.activation}, depth {network.depth}{', skip' if model.settings.skip else ''}"
    yield "Units:", str(network.n_units)
    yield "Breakpoints:", str(network.n_breakpoints)
    yield "Sample:", _stamp(frame.index[0])
    yield "", f"- {_stamp(frame.index[-1])}"


def _quality(model: Results) -> Iterable[tuple[str, str]]:
    resid = model.resid.to_numpy()[: model.nobs]
    yield "No. Observations:", str(model.nobs)
    yield "beta", f"{model.beta:.6g}"
    yield "beta / beta_max", f"{model.beta / model.beta_max:.6g}" if model.beta_max > 0 else "none"
    yield "Log Likelihood", f"{model.llf:#.6g}"
    yield "S.D. of innovations", f"{float(np.sqrt(np.mean(resid**2))):#.6g}"
    yield "AIC", f"{model.aic:#.6g}"
    yield "BIC", f"{model.bic:#.6g}"
    yield "HQIC", f"{model.hqic:#.6g}"


def _stamp(stamp: Any) -> str:
    return str(stamp).removesuffix(" 00:00:00")


def _linear_table(params: pd.Series) -> Any:
    from statsmodels.iolib.table import SimpleTable

    rows = [[f"{value:.6g}"] for value in params]
    return SimpleTable(
        rows or [["none"]],
        headers=["coef"],
        stubs=[str(name) for name in params.index] or [""],
        title="Linear part (unpenalised)",
    )


def regimes(part: PiecewiseLinear, values: Array) -> pd.DataFrame:
    """Return the linear pieces of one lag: ``from``, ``to``, ``slope`` and number of observations.

    Examples
    --------
    >>> g = PiecewiseLinear(np.array([0.0]), np.array([0.0]), np.array([0.2, 0.9]))
    >>> regimes(g, np.array([-1.0, 2.0, 3.0])).to_numpy().tolist()
    [[-inf, 0.0, 0.2, 1.0], [0.0, inf, 0.9, 2.0]]
    """
    edges = np.concatenate([[-np.inf], part.breaks, [np.inf]])
    counts = np.bincount(np.searchsorted(part.breaks, values, side="right"), minlength=len(part.slopes))
    return pd.DataFrame({"from": edges[:-1], "to": edges[1:], "slope": part.slopes, "nobs": counts})


def _of(model: Results, column: int) -> list[Breakpoint]:
    return [b for b in model.network.breakpoints if b.column == column]


def _regime_table(label: str, part: PiecewiseLinear, values: Array, breaks: list[Breakpoint]) -> Any:
    """A table of regimes, each with the origin of the breakpoint where it begins."""
    from statsmodels.iolib.table import SimpleTable

    table = regimes(part, values)
    shown = table.head(MAX_REGIMES)
    rows = [[f"{r[0]:.6g}", f"{r[1]:.6g}", f"{r[2]:.6g}", f"{r[3]:.0f}"] for r in shown.to_numpy()]
    headers, jumping = ["from", "to", "slope", "nobs"], any(b.jump for b in breaks)
    if breaks:
        headers = [*headers, *(["jump"] if jumping else []), "begins at"]
        begin = [["", ""], *([f"{b.jump:.6g}", _origin(b)] for b in breaks)]
        rows = [[*row, *(at if jumping else at[1:])] for row, at in zip(rows, begin, strict=False)]
    more = "" if len(shown) == len(table) else f" (first {MAX_REGIMES} of {len(table)}, see breakpoints_)"
    return SimpleTable(rows, headers=headers, title=f"Regimes of {label}{more}")


def _origin(b: Breakpoint) -> str:
    return b.label if b.label in ("data point", "other") else f"{b.label} {b.formula}"


def _notes(model: Results) -> Iterable[str]:
    """Sentences under the tables: the proof, how beta was found, what holds beyond the data."""
    frame, settings = model.frame, model.settings
    yield f"Certificate: {model.certificate}."
    if model.path is not None:
        criterion, tried = str(settings.beta).upper(), len(model.path)
        yield f"beta: lowest {criterion} among {tried} penalties from beta_max downwards."
    if np.ptp(frame.y) == 0 and not np.ptp(frame.x, axis=0).any():
        yield "The series is constant: the fit is that constant, and beta_max is 0."
    elif not model.network.breakpoints:
        yield "No breakpoint: the fitted map is linear."
    low, high = frame.x.min(axis=0), frame.x.max(axis=0)
    ranges = (f"{n} in [{a:.6g}, {b:.6g}]" for n, a, b in zip(frame.names, low, high, strict=True))
    if model.terms.curved:
        yield f"Training range: {'; '.join(ranges)}."
        yield OUTSIDE[settings.extrapolation]
