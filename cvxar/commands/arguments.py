"""Reading arguments: a parser that raises, the options all commands share, and what their words mean."""

import argparse
from collections.abc import Callable
from typing import Any, NoReturn

from cvxar import architectures
from cvxar.deterministic import TRENDS
from cvxar.errors import InputError
from cvxar.transforms import CATALOGUE

DEEP = ("relu", "leaky_relu", "abs")  # activations --depth can stack


class Parser(argparse.ArgumentParser):
    """A parser that raises instead of printing its usage and leaving."""

    def error(self, message: str) -> NoReturn:
        """Turn a wrong argument into an error like any other."""
        raise InputError(f"{message} (see {self.prog} --help)")


def converter(read: Callable[[str], Any], wanted: str) -> Callable[[str], Any]:
    """Return an argparse type whose error says what is wanted."""

    def convert(text: str) -> Any:
        """Read an argument; what is wrong with it becomes a message of the parser."""
        try:
            return read(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{wanted} is wanted, got {text!r}") from None

    return convert


def number_or_name(text: str) -> float | str:
    """Return a number if the text is one, else the text.

    Examples
    --------
    >>> number_or_name("2"), number_or_name("bic")
    (2.0, 'bic')
    """
    try:
        return float(text)
    except ValueError:
        return text


def _natural(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(text)
    return int(text)


whole = converter(int, "a whole number")
real = converter(float, "a number")
seed = converter(_natural, "a whole number, 0 or more,")
reals = converter(lambda text: [float(part) for part in text.split(",")], "a number, or several as in 80,95,")
lag_list = converter(
    lambda text: [int(part) for part in text.split(",")] if "," in text else int(text),
    "a number of lags, or lags as in 1,7,",
)
part = converter(lambda text: int(text) if text.isdecimal() else float(text), "a fraction or a whole number")


def add_shared(parser: argparse.ArgumentParser) -> None:
    """Add what every command takes: the series, its lags, the network, and where results go."""
    parser.add_argument(
        "series",
        nargs="?",
        metavar="SERIES",
        help="CSV or Parquet file, or Yahoo symbol (default: bundled Bitcoin)",
    )
    parser.add_argument("--column", help="which column of the file (default: its close)")
    parser.add_argument("--lags", type=lag_list, default=1, help="3 for lags 1 to 3, or 1,7 (default: 1)")
    parser.add_argument(
        "--architecture", default="relu", help=f"one of {', '.join(architectures.BY_NAME)} (default: relu)"
    )
    parser.add_argument(
        "--depth", type=whole, default=2, help="layers of relu, leaky_relu or abs (default: 2)"
    )
    parser.add_argument(
        "--skip", action=argparse.BooleanOptionalAction, default=True, help="free linear terms (default: yes)"
    )
    parser.add_argument("--json", metavar="FILE", help="write results as JSON; - for standard output, alone")


def add_beta(parser: argparse.ArgumentParser) -> None:
    """Add the penalty, for commands that fit at one."""
    parser.add_argument(
        "--beta",
        type=number_or_name,
        default="bic",
        help="number, bic, aic, hqic, cv or cv1se (default: bic)",
    )


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add what ``ConvexAR`` knows beside lags, network and penalty, for commands that use one."""
    parser.add_argument(
        "--trend", default="c", help=f"one of {', '.join(TRENDS)}, as in AutoReg (default: c)"
    )
    parser.add_argument("--seasonal", action="store_true", help="a free dummy for every season")
    parser.add_argument(
        "--period", type=whole, help="number of seasons, if the dates do not say it (such as 7 for days)"
    )
    parser.add_argument("--transform", help=f"fit on another scale: {', '.join(CATALOGUE)}")


def add_fit(parser: argparse.ArgumentParser) -> None:
    """Add the model and its penalty, for commands that fit one ``ConvexAR``."""
    add_model(parser)
    add_beta(parser)
    parser.add_argument("--beta-ratio", type=real, help="share of beta_max, instead of --beta")


def add_plot(parser: argparse.ArgumentParser) -> None:
    """Add the picture, for commands that have one."""
    parser.add_argument(
        "--plot", metavar="FILE", help="draw a figure (.png, .pdf, .svg or what else matplotlib writes)"
    )


def add_seed(parser: argparse.ArgumentParser) -> None:
    """Add the seed, for commands that draw random numbers."""
    parser.add_argument("--seed", type=seed, default=0, help="of everything random (default: 0)")


def add_contest(parser: argparse.ArgumentParser) -> None:
    """Add the horizon, the picture and the seed, for commands that let models forecast."""
    parser.add_argument("--horizon", type=whole, default=1, help="steps ahead (default: 1)")
    for add in (add_plot, add_seed):
        add(parser)


def stack_layers(options: argparse.Namespace) -> None:
    """Turn ``--depth`` above 2 into an architecture, in place.

    Raises
    ------
    InputError
        For a depth that the architecture does not have.
    """
    if options.depth < 2 or (options.depth > 2 and options.architecture not in DEEP):
        raise InputError(
            f"--depth {options.depth} is not available for --architecture {options.architecture}; "
            f"depth 2, or more with one of {', '.join(DEEP)}"
        )
    if options.depth > 2:
        options.architecture = architectures.DeepNarrow(options.architecture, options.depth)
