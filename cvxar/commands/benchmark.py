"""``cvxar benchmark``: the comparison with AR(1), the random walk and trained networks."""

import argparse
from dataclasses import replace

from cvxar.commands.arguments import add_beta, add_contest, part
from cvxar.commands.base import Command, Output
from cvxar.commands.inputs import Given
from cvxar.comparison import compare


def _options(parser: argparse.ArgumentParser) -> None:
    add_contest(parser)
    add_beta(parser)
    parser.add_argument(
        "--test",
        type=part,
        default=0.2,
        help="fraction, or number, of last values to forecast (default: 0.2)",
    )
    parser.add_argument("--html", metavar="FILE", help="write a report, one page that needs no other file")


def _run(options: argparse.Namespace, given: Given, command: str) -> Output:
    result = compare(
        given.series,
        horizon=options.horizon,
        test=options.test,
        lags=options.lags,
        architecture=options.architecture,
        beta=options.beta,
        skip=options.skip,
        rng=options.seed,
    )
    result = replace(result, series=given.label, unit=given.unit, source=given.source, command=command)
    return Output(str(result.summary()), result.to_dict(), result.plot, result.to_html)


BENCHMARK = Command("benchmark", "compare with AR(1), the random walk and networks", _options, _run)
