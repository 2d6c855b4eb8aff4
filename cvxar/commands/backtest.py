"""``cvxar backtest``: forecasts from many origins, scored and tested against AR(1)."""

import argparse
import warnings
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from cvxar.backtesting import backtest
from cvxar.calendars import complete
from cvxar.commands.arguments import add_contest, add_fit, reals, whole
from cvxar.commands.base import Command, Output, head, model_of, plain, records
from cvxar.commands.inputs import Given
from cvxar.contest import linear_models
from cvxar.errors import FailureWarning, InputError
from cvxar.evaluation import Backtest
from cvxar.lags import check_lags

CONVEX = "ConvexAR"


def _options(parser: argparse.ArgumentParser) -> None:
    add_contest(parser)
    add_fit(parser)
    parser.add_argument("--initial", type=whole, help="length of the first training set (default: 80 %%)")
    parser.add_argument("--window", type=whole, help="train on the last so many (default: on all)")
    parser.add_argument("--step", type=whole, default=1, help="from one origin to the next (default: 1)")
    parser.add_argument("--refit", type=whole, default=1, help="at every so many origins (default: 1)")
    parser.add_argument("--level", type=reals, help="bands in per cent, such as 80 or 80,95")
    parser.add_argument("--returns", action="store_true", help="forecast log returns instead of the level")
    parser.add_argument("--jobs", type=whole, default=1, help="processes (default: 1, -1 for all)")
    parser.add_argument("--progress", action="store_true", help="show a bar (needs tqdm)")


def _run(options: argparse.Namespace, given: Given, command: str) -> Output:
    series = _on_calendar(given.series)
    series = _returns(series) if options.returns else series
    linear = linear_models(
        check_lags(options.lags),
        increments=options.returns,
        transform=options.transform,
        missing=bool(series.isna().any()),
    )
    result = _backtest(series, {CONVEX: model_of(options), **linear}, options)
    ar1 = next(iter(linear))
    scores = result.scores(increments=options.returns).reset_index()
    tests = result.compare(ar1, rng=options.seed).reset_index().drop(columns=["rmse", "mae"])
    own = result.forecasts["model"] == CONVEX
    gap = float(result.forecasts.loc[own, "relative_gap"].max())
    facts = {
        "rows": records(scores),
        "comparisons": records(tests),
        "origins": len(result.schedule.origins(len(series))),
        "relative_gap": plain(gap),
        "failures": records(result.failures.astype(str)),
    }
    text = _text(result, scores, tests, gap)
    return Output(text, head(given, command) | facts, partial(result.plot, baseline=ar1))


def _backtest(series: pd.Series, models: dict[str, Any], options: argparse.Namespace) -> Backtest:
    """Run it; a model that never makes a forecast leaves nothing to report."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", FailureWarning)
        try:
            return _run_models(series, models, options)
        except FailureWarning as failure:
            raise InputError(str(failure)) from None


def _run_models(series: pd.Series, models: dict[str, Any], options: argparse.Namespace) -> Backtest:
    return backtest(
        series,
        models,
        horizon=options.horizon,
        initial=options.initial,
        window=options.window,
        step=options.step,
        refit=options.refit,
        level=options.level,
        n_jobs=options.jobs,
        progress=options.progress,
        rng=options.seed,
    )


def _on_calendar(series: pd.Series) -> pd.Series:
    """Put in the rows of stamps that are missing on the calendar, as a fit does."""
    whole = complete(series.index)
    return series if len(whole) == len(series) else series.reindex(whole)


def _returns(series: pd.Series) -> pd.Series:
    if series.min() <= 0:
        raise InputError("--returns needs values above zero; leave it out to forecast the level")
    returns: pd.Series = np.log(series).diff().iloc[1:]
    return returns.rename("log return")


def _text(result: Backtest, scores: pd.DataFrame, tests: pd.DataFrame, gap: float) -> str:
    """Scores, sentences, and the worst certificate."""
    figures = scores.to_string(index=False, float_format="{:.5g}".format)
    words = [
        f"{row.conclusion} Skill {row.skill:.3f} ({row.skill_lower:.3f} to {row.skill_upper:.3f} at 95 %)."
        for row in tests.itertuples()
    ]
    worst = f"Certificates of ConvexAR over all origins: largest relative gap {gap:.1e}."
    return "\n".join([repr(result), "", figures, "", *words, worst])


BACKTEST = Command("backtest", "forecast from many origins and test against AR(1)", _options, _run)
