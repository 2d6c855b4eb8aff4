"""``cvxar forecast``: the coming observations."""

import argparse

from cvxar.commands.arguments import add_beta, add_seed, reals, whole
from cvxar.commands.base import Command, Output, head, model_of, records
from cvxar.commands.inputs import Given
from cvxar.options import check_count


def _options(parser: argparse.ArgumentParser) -> None:
    add_beta(parser)
    parser.add_argument("--steps", type=whole, default=1, help="how many (default: 1)")
    parser.add_argument("--level", type=reals, help="bands in per cent, such as 80 or 80,95")
    add_seed(parser)


def _run(options: argparse.Namespace, given: Given, command: str) -> Output:
    steps = check_count(options.steps, "steps")
    table = model_of(options).fit(given.series).forecast(steps, level=options.level, rng=options.seed)
    rows = table.rename_axis("time").reset_index()
    rows["time"] = rows["time"].astype(str)
    return Output(rows.to_string(index=False), head(given, command) | {"rows": records(rows)})


FORECAST = Command("forecast", "forecast the coming observations", _options, _run)
