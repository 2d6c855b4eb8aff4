"""``cvxar forecast``: the coming observations."""

import argparse
from typing import Any

from cvxar.commands.arguments import add_fit, add_plot, add_seed, reals, whole
from cvxar.commands.base import Command, Output, head, model_of, records
from cvxar.commands.inputs import Given
from cvxar.intervals import BY_NAME
from cvxar.options import check_count

FAN = (50, 80, 95)  # bands in per cent of a picture for which none are asked


def _options(parser: argparse.ArgumentParser) -> None:
    add_fit(parser)
    parser.add_argument("--steps", type=whole, default=1, help="how many (default: 1)")
    parser.add_argument("--level", type=reals, help="bands in per cent, such as 80 or 80,95")
    kinds = ", ".join(BY_NAME)
    parser.add_argument("--intervals", default="bootstrap", help=f"{kinds} (default: bootstrap)")
    add_seed(parser)
    add_plot(parser)


def _run(options: argparse.Namespace, given: Given, command: str) -> Output:
    steps = check_count(options.steps, "steps")
    model = model_of(options).fit(given.series)
    table = model.forecast(steps, level=options.level, intervals=options.intervals, rng=options.seed)
    rows = table.rename_axis("time").reset_index()
    rows["time"] = rows["time"].astype(str)

    def draw() -> Any:
        """Draw the forecast."""
        level = options.level or FAN
        return model.plot_forecast(steps, level=level, intervals=options.intervals, rng=options.seed).figure

    return Output(rows.to_string(index=False), head(given, command) | {"rows": records(rows)}, draw)


FORECAST = Command("forecast", "forecast the coming observations", _options, _run)
