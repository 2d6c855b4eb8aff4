"""The printed summary of a fitted autoregression."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from cvxar.inference import interval
from cvxar.network import Breakpoint
from cvxar.results import Results

# a table of more regimes than this cannot be read; the rest is in ``regimes_``
MAX_REGIMES = 20

CRITERION = "lowest {}"
CHOSEN_BY = {
    "cv": "smallest cross-validated loss",
    "cv1se": "largest within one standard error of the smallest cross-validated loss",
}
OUTSIDE = {
    "ar": "Beyond the training range of a lag, forecasts continue with the slope of the linear (AR) fit.",
    "network": "Beyond the training range of a lag, forecasts follow the network's outermost slopes.",
}


def summarise(model: Results) -> Any:
    """Return a ``statsmodels.iolib.summary.Summary`` of a fitted model."""
    from cvxar.summary_markup import MarkupSummary  # loads statsmodels

    summary, frame = MarkupSummary(), model.frame
    name = "y" if model.predictor.known.name is None else str(model.predictor.known.name)
    summary.add_table_2cols(
        None,
        title="ConvexAR Results",
        gleft=[(label, [value]) for label, value in _identity(model, name)],
        gright=[(label, [value]) for label, value in _quality(model)],
        yname=name,
        xname=list(map(str, model.params.index)),
    )
    summary.tables.append(_linear_table(model))
    summary.tables.extend(
        _regime_table(
            frame.names[j], model.regimes[model.regimes["lag"] == lag].drop(columns="lag"), _of(model, i)
        )
        for i, (j, lag) in enumerate(zip(model.terms.curved, model.terms.nonlinear, strict=True))
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


def _linear_table(model: Results) -> Any:
    from statsmodels.iolib.table import SimpleTable

    table = model.inference
    bounds = interval(table, 0.05)
    rows = [
        [f"{row[0]:.6g}", *_errors(*row[1:]), _number(low), _number(high)]
        for row, (low, high) in zip(table.to_numpy(), bounds.to_numpy(), strict=True)
    ]
    return SimpleTable(
        rows or [["none", "", "", "", "", ""]],
        headers=["coef", "std err", "z", "P>|z|", "[0.025", "0.975]"],
        stubs=[str(name) for name in table.index] or [""],
        title="Linear part (unpenalised)",
    )


def _errors(error: float, z: float, pvalue: float) -> tuple[str, str, str]:
    return _number(error), "-" if np.isnan(z) else f"{z:.3f}", "-" if np.isnan(pvalue) else f"{pvalue:.3f}"


def _number(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.4g}"


def _of(model: Results, column: int) -> list[Breakpoint]:
    return [b for b in model.network.breakpoints if b.column == column]


def _regime_table(label: str, table: pd.DataFrame, breaks: list[Breakpoint]) -> Any:
    """A table of regimes, each with the origin of the breakpoint where it begins."""
    from statsmodels.iolib.table import SimpleTable

    shown = table.head(MAX_REGIMES)
    rows = [
        [*(f"{v:.6g}" for v in row[:3]), *_errors(*row[3:6]), f"{row[6]:.0f}"] for row in shown.to_numpy()
    ]
    headers = ["from", "to", "slope", "std err", "z", "P>|z|", "nobs"]
    jumping = any(b.jump for b in breaks)
    if breaks:
        headers = [*headers, *(["jump"] if jumping else []), "begins at"]
        begin = [["", ""], *([f"{b.jump:.6g}", _origin(b)] for b in breaks)]
        rows = [[*row, *(at if jumping else at[1:])] for row, at in zip(rows, begin, strict=False)]
    more = "" if len(shown) == len(table) else f" (first {MAX_REGIMES} of {len(table)}, see regimes_)"
    return SimpleTable(rows, headers=headers, title=f"Regimes of {label}{more}")


def _origin(b: Breakpoint) -> str:
    return b.label if b.label in ("data point", "other") else f"{b.label} {b.formula}"


def _caveats(model: Results) -> Iterable[str]:
    """What keeps the figures from meaning what they usually do."""
    if model.interpolates:
        yield (
            f"The fit interpolates: {model.covariance.size} coefficients for {model.nobs} observations. "
            "Likelihood, criteria and residuals say nothing, and there are no standard errors."
        )
    elif model.covariance.known and model.network.breakpoints:
        yield (
            "Standard errors are conditional on the selected breakpoints: neither their choice nor the "
            "shrinkage of the coefficients is accounted for."
        )
    elif not model.covariance.known:
        yield "No standard errors: they are those of least squares, and the loss is another."
    yield from _collinear(model)
    if model.settings.transform is not None:
        yield (
            f"Fitted to the transformed series ({model.predictor.scale}): parameters, likelihood and "
            "criteria are on that scale; forecasts are not."
        )


def _collinear(model: Results) -> Iterable[str]:
    """Name the coefficients that the data cannot tell apart."""
    errors = model.inference["std_err"]
    lost = [str(name) for name in errors.index[errors.isna()]]
    if model.covariance.known and lost:
        yield (
            f"No standard errors for {', '.join(lost)}: their columns are collinear, with each other or with "
            "active features, and the data cannot tell the coefficients apart; leave a column out."
        )


def _notes(model: Results) -> Iterable[str]:
    """Sentences under the tables: the proof, how beta was found, what holds beyond the data."""
    frame, settings = model.frame, model.settings
    yield f"Certificate: {model.certificate}."
    if model.path is not None:
        yield (
            f"beta: {CHOSEN_BY.get(str(settings.beta), CRITERION.format(str(settings.beta).upper()))} among "
            f"{len(model.path)} penalties from beta_max downwards."
        )
    yield from _caveats(model)
    if np.ptp(frame.y) == 0 and not np.ptp(frame.x, axis=0).any():
        yield "The series is constant: the fit is that constant, and beta_max is 0."
    elif not model.network.breakpoints:
        yield "No breakpoint: the fitted map is linear."
    low, high = frame.x.min(axis=0), frame.x.max(axis=0)
    ranges = (f"{n} in [{a:.6g}, {b:.6g}]" for n, a, b in zip(frame.names, low, high, strict=True))
    if model.terms.curved:
        yield f"Training range: {'; '.join(ranges)}."
        yield OUTSIDE[settings.extrapolation]
