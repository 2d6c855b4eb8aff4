"""``cvxar fit``: the summary of a fitted autoregression."""

import argparse

from cvxar.commands.arguments import add_fit, add_plot
from cvxar.commands.base import Command, Output, head, model_of, plain, records
from cvxar.commands.features import breakpoint_table, picture
from cvxar.commands.inputs import Given


def _options(parser: argparse.ArgumentParser) -> None:
    add_fit(parser)
    add_plot(parser)


def _run(options: argparse.Namespace, given: Given, command: str) -> Output:
    model = model_of(options).fit(given.series)
    certificate = model.certificate_
    facts = {
        "beta": model.beta_,
        "beta_max": model.beta_max_,
        "params": {name: float(value) for name, value in model.params_.items()},
        "primal": certificate.primal,
        "dual": certificate.dual,
        "relative_gap": certificate.relative_gap,
        "log_likelihood": model.llf_,
        "aic": model.aic_,
        "bic": model.bic_,
        "hqic": model.hqic_,
        "breakpoints": records(breakpoint_table(model, options.lags)),
    }
    return Output(
        str(model.summary()),
        head(given, command) | {key: plain(value) for key, value in facts.items()},
        lambda: picture(model),
    )


FIT = Command("fit", "fit ConvexAR and print its summary", _options, _run)
