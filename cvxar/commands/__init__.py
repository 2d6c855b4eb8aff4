"""The words after ``cvxar``, one file each: adding a command is a file here and a line below."""

from cvxar.commands.backtest import BACKTEST
from cvxar.commands.base import Command
from cvxar.commands.benchmark import BENCHMARK
from cvxar.commands.features import FEATURES
from cvxar.commands.fit import FIT
from cvxar.commands.forecast import FORECAST
from cvxar.commands.path import PATH

COMMANDS: tuple[Command, ...] = (BENCHMARK, BACKTEST, FIT, FORECAST, PATH, FEATURES)

__all__ = ["COMMANDS", "Command"]
