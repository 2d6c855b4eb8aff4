"""The comparison as one page of HTML: tables, figures, words, and nothing that has to be fetched."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from html import escape
from typing import Any

import numpy as np
import pandas as pd

import cvxar
from cvxar import plots
from cvxar.contest import AR1, LEVEL, Study
from cvxar.curves import training_curves
from cvxar.lags import check_lags
from cvxar.page import page
from cvxar.svg import inline_svg
from cvxar.training_plots import TRAINING_NAMES
from cvxar.wording import FORECAST_COLUMNS, TRAINING_COLUMNS, Column

MOST_REGIMES, EPOCHS = 25, 2000
REGIME_COLUMNS: dict[str, Column] = {
    "lag": ("lag", str),
    "from": ("from", lambda value: f"{value:.6g}"),
    "to": ("to", lambda value: f"{value:.6g}"),
    "slope": ("slope", lambda value: f"{value:.4g}"),
    "because": ("begins at", str),
}


def report(result: Any, *, epochs: int = EPOCHS) -> str:
    """Return the page of a comparison.

    Parameters
    ----------
    result : Comparison
    epochs : int, default 2000
        Of the training curves.
    """
    title = f"{result.series}: forecasts compared"
    body = [
        f"<h1>{escape(title)}</h1>",
        _list(result.conclusions, "lead"),
        *_forecast_sections(result),
        *_training_section(result, epochs),
        *(part for i, study in enumerate(result.studies) for part in _model_section(study, i)),
        "<h2>How it was done</h2>",
        _list(result.notes),
        *_origin_section(result),
    ]
    return page(title, "\n".join(body))


def _forecast_sections(result: Any) -> Iterator[str]:
    for i, (target, rows) in enumerate(result.table.groupby("target", sort=False)):
        shown = result.forecasts[result.forecasts["target"] == target]
        unit = _unit(result, str(target))
        yield f"<h2>Forecasts of the {escape(str(target))}</h2>"
        yield _table(rows, FORECAST_COLUMNS)
        yield _figures(
            _figure(partial(_draw_forecasts, shown, unit), f"f{i}", "Forecasts"),
            _figure(
                partial(_draw_errors, shown, unit), f"e{i}", f"Squared error saved against {AR1}, accumulated"
            ),
        )


def _draw_forecasts(rows: pd.DataFrame, unit: str, ax: Any) -> Any:
    return plots.plot_forecasts(rows, unit=unit, ax=ax)


def _draw_errors(rows: pd.DataFrame, unit: str, ax: Any) -> Any:
    return plots.plot_error_difference(rows, baseline=AR1, unit=unit, ax=ax)


def _training_section(result: Any, epochs: int) -> Iterator[str]:
    if not len(result.training):
        return
    yield "<h2>Training: descent against the certified optimum</h2>"
    yield (
        "<p>One problem for all: the two-layer ReLU network on lag 1 without skip connection, trained once "
        "on the first part. The horizontal line is the optimum, which no weights can go below; test losses "
        "are mean squared errors of one-step forecasts of the rest, without refitting.</p>"
    )
    yield _table(result.training, TRAINING_COLUMNS)
    for i, study in enumerate(result.studies):
        rows = result.training[result.training["target"] == study.target]
        curves = training_curves(study.train, study.test, float(rows["beta"].iloc[0]), epochs=epochs)
        yield f"<h3>{escape(study.target.capitalize())}</h3>"
        yield _figures(*_curve_figures(curves, _unit(result, study.target), i))


def _curve_figures(curves: pd.DataFrame, unit: str, i: int) -> Iterator[str]:
    for quantity in ("objective", "test_mse"):
        name = TRAINING_NAMES[quantity]
        label = f"{name[0].upper()}{name[1:]} by epoch"

        def draw(ax: Any, quantity: str = quantity) -> Any:
            """Draw the quantity of this turn of the loop."""
            return plots.plot_training_curves(curves, quantity, unit=unit, ax=ax)

        yield _figure(draw, f"{quantity[0]}c{i}", label)


def _model_section(study: Study, i: int) -> Iterator[str]:
    model = study.model
    if not hasattr(model, "plot_network"):
        return
    yield f"<h2>The fitted map of the {escape(study.target)}</h2>"
    yield (
        f"<p>{escape(repr(model))} as refitted at the last origin: "
        f"{model.network_.n_units} units, {len(model.breakpoints_)} breakpoints.</p>"
        f"<p><strong>Certificate.</strong> {escape(str(model.certificate_))}.</p>"
    )
    lags = _lags(model)
    label = "Fitted map: data, regimes, units, and what its breakpoints mirror"
    yield _figures(_figure(model.plot_network, f"m{i}", label, rows=len(lags), size=(5.2, 4.4)))
    rows = pd.concat([_regimes(model, column, lag) for column, lag in enumerate(lags)])
    yield "<h3>Regimes</h3>" + _table(rows.head(MOST_REGIMES), REGIME_COLUMNS)
    if len(rows) > MOST_REGIMES:
        yield f"<p>{len(rows) - MOST_REGIMES} more are not shown.</p>"


def _lags(model: Any) -> tuple[int, ...]:
    chosen = model.lags if getattr(model, "nonlinear_lags", None) is None else model.nonlinear_lags
    return check_lags(chosen)


def _regimes(model: Any, column: int, lag: int) -> pd.DataFrame:
    """Linear pieces of the map of one lag, each with what makes its lower end a breakpoint."""
    part = model.network_.pieces(column)
    because = {b.location: f"{b.label} {b.formula}" for b in model.breakpoints_ if b.column == column}
    edges = np.concatenate([[-np.inf], part.breaks, [np.inf]])
    words = ["", *(because.get(float(edge), "") for edge in part.breaks)]
    return pd.DataFrame(
        {"lag": lag, "from": edges[:-1], "to": edges[1:], "slope": part.slopes, "because": words}
    )


def _origin_section(result: Any) -> Iterator[str]:
    first, last = result.forecasts["origin"].iloc[0], result.forecasts["time"].iloc[-1]
    facts = {
        "Data": result.source or f"the series {result.series}, handed over in memory",
        "Length": f"{result.nobs} observations; origins from {first}, last value {last}",
        "Command": result.command,
        "Made by": f"cvxar {cvxar.__version__}",
    }
    rows = "".join(f"<dt>{name}</dt><dd>{escape(str(fact))}</dd>" for name, fact in facts.items())
    yield f"<h2>Where it is from</h2><dl>{rows}</dl>"


def _unit(result: Any, target: str) -> str:
    return (result.unit or result.series) if target == LEVEL else target


def _list(sentences: Iterable[str], kind: str = "") -> str:
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f'<ul class="{kind}">{items}</ul>'


def _table(rows: pd.DataFrame, columns: dict[str, Column]) -> str:
    """Rows as a table that scrolls sideways where it is too wide; words to the left, numbers to the right."""
    kinds = ["word" if show is str else "number" for _, show in columns.values()]
    head = "".join(
        f'<th class="{kind}">{escape(name)}</th>'
        for kind, (name, _) in zip(kinds, columns.values(), strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f'<td class="{kind}">{escape(show(row[name]))}</td>'
            for kind, (name, (_, show)) in zip(kinds, columns.items(), strict=True)
        )
        + "</tr>"
        for row in rows.to_dict("records")
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _figure(draw: Callable[[Any], object], name: str, label: str, **options: Any) -> str:
    svg = inline_svg(draw, name, label, **options)
    return f"<figure>{svg}<figcaption>{escape(label)}</figcaption></figure>"


def _figures(*figures: str) -> str:
    return f'<div class="figures">{"".join(figures)}</div>'
