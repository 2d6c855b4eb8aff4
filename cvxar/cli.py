"""The command line: ``cvxar benchmark``, ``fit``, ``forecast``, ``path`` and ``features``.

Exit code 0: done. 2: input that cannot be used, with one line on stderr that says why.
"""

import argparse
import json
import math
import os
import shlex
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd

import cvxar
from cvxar import architectures, plots
from cvxar.comparison import compare
from cvxar.datasets import fetch_prices, load_bitcoin, read_prices
from cvxar.errors import CvxarError, InputError
from cvxar.files import check_writable, write_atomically
from cvxar.lags import check_lags, lag_frame
from cvxar.model import ConvexAR
from cvxar.observations import observe
from cvxar.options import check_count
from cvxar.path import solve_path
from cvxar.problem import LassoProblem

FILE_SUFFIXES = {
    ".csv",
    ".gz",
    ".parquet",
    ".pq",
    ".txt",
    ".tsv",
    ".xls",
    ".xlsx",
    ".json",
    ".zip",
    ".feather",
}
STDOUT = "-"
DEEP = ("relu", "leaky_relu", "abs")  # activations --depth can stack
BAD_INPUT, READER_GONE, INTERRUPTED = 2, 141, 130


@dataclass(frozen=True)
class _Input:
    """A series and what to call it."""

    label: str
    unit: str
    series: pd.Series


@dataclass(frozen=True)
class _Output:
    """What a command says: text for readers, results for programs, and a figure to draw if wanted."""

    text: str
    results: dict[str, Any]
    draw: Callable[[], Any] | None = None


class _Parser(argparse.ArgumentParser):
    """A parser that raises instead of printing its usage and leaving."""

    def error(self, message: str) -> NoReturn:
        """Turn a wrong argument into an error like any other."""
        raise InputError(f"{message} (see {self.prog} --help)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments after the program's name; default those of the process.

    Returns
    -------
    int
        0, or 2 for bad input (one line on stderr, no traceback).

    Examples
    --------
    >>> main(["features", "--beta", "1e9"])     # a penalty this large leaves no kink
    no breakpoints: the fit is linear
    0
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            code = _run(arguments)
        if sys.stdout is not None:  # it may have been closed by the caller
            sys.stdout.flush()
        return code
    except BrokenPipeError:
        # the reader has left: nothing more can be said, and the interpreter must not try at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE
    except (CvxarError, OSError) as error:
        return _complain(f"error: {error}", BAD_INPUT)
    except KeyboardInterrupt:
        return _complain("interrupted", INTERRUPTED)


def _complain(message: str, code: int) -> int:
    print("cvxar:", " ".join(message.split()), file=sys.stderr)
    return code


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print("cvxar: warning:", " ".join(str(message).split()), file=sys.stderr)


def _run(argv: list[str]) -> int:
    try:
        options = _parser().parse_args(argv)
    except SystemExit as exit_:  # --help and --version
        return int(exit_.code or 0)
    _check_options(options)
    output = options.run(options, _load(options.series, options.column), shlex.join(["cvxar", *argv]))
    if options.json != STDOUT:
        print(output.text)
    _write(options, output)
    return 0


def _check_options(options: argparse.Namespace) -> None:
    """Find out before any work whether its results can be wanted and written."""
    if options.depth < 2 or (options.depth > 2 and options.architecture not in DEEP):
        raise InputError(
            f"--depth {options.depth} is not available for --architecture {options.architecture}; "
            f"depth 2, or more with one of {', '.join(DEEP)}"
        )
    if options.depth > 2:
        options.architecture = architectures.DeepNarrow(options.architecture, options.depth)
    if options.json not in (None, STDOUT):
        check_writable(options.json)
    if options.plot is not None:
        plots.check_figure_file(options.plot)
        check_writable(options.plot)


def _write(options: argparse.Namespace, output: _Output) -> None:
    text = json.dumps(output.results, indent=2, allow_nan=False)
    if options.json == STDOUT:
        print(text)
    elif options.json is not None:
        write_atomically(options.json, lambda file: file.write_text(f"{text}\n", encoding="utf-8"))
    if options.plot is not None and output.draw is not None:
        plots.save_figure(output.draw, options.plot)


def _load(source: str | None, column: str | None) -> _Input:
    """The series: bundled, from a file, or by its Yahoo symbol."""
    if source is not None and _is_path(source):
        series = read_prices(source, column)
        return _Input(Path(source).name, str(series.name), series)
    if column is not None:
        raise InputError(f"--column {column} names a column of a file; give a CSV or Parquet file as SERIES")
    if source is None:
        series = load_bitcoin()
        return _Input("bitcoin", f"{series.name} (US dollars)", series)
    return _Input(source, f"{source} close", fetch_prices(source))


def _is_path(source: str) -> bool:
    path = Path(source)
    return path.suffix.lower() in FILE_SUFFIXES or len(path.parts) > 1 or path.is_file()


def _benchmark(options: argparse.Namespace, given: _Input, command: str) -> _Output:
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
    result = replace(result, series=given.label, unit=given.unit, command=command)
    return _Output(str(result.summary()), result.to_dict(), result.plot)


def _model(options: argparse.Namespace) -> ConvexAR:
    return ConvexAR(options.lags, architecture=options.architecture, beta=options.beta, skip=options.skip)


def _fit(options: argparse.Namespace, given: _Input, command: str) -> _Output:
    model = _model(options).fit(given.series)
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
        "breakpoints": _records(_breakpoints(model, options.lags)),
    }

    def draw() -> Any:
        lags = check_lags(options.lags)
        frame = lag_frame(observe(given.series), lags)
        return plots.plot_map(model.network_, frame.x, frame.y, name=given.unit, lag=lags[0]).figure

    plain = {key: _plain(value) for key, value in facts.items()}
    return _Output(str(model.summary()), _results(given, command) | plain, draw)


def _forecast(options: argparse.Namespace, given: _Input, command: str) -> _Output:
    steps = check_count(options.steps, "steps")
    table = _model(options).fit(given.series).forecast(steps, level=options.level, rng=options.seed)
    rows = table.rename_axis("time").reset_index()
    rows["time"] = rows["time"].astype(str)
    return _Output(rows.to_string(index=False), _results(given, command) | {"rows": _records(rows)})


def _path(options: argparse.Namespace, given: _Input, command: str) -> _Output:
    frame = lag_frame(observe(given.series), check_lags(options.lags))
    problem = LassoProblem(frame.x, frame.y, beta=0.0, architecture=options.architecture, skip=options.skip)
    rows = solve_path(problem, n_betas=options.n_betas, min_ratio=options.min_ratio).to_frame()
    return _Output(rows.to_string(index=False), _results(given, command) | {"rows": _records(rows)})


def _features(options: argparse.Namespace, given: _Input, command: str) -> _Output:
    rows = _breakpoints(_model(options).fit(given.series), options.lags)
    text = rows.to_string(index=False) if len(rows) else "no breakpoints: the fit is linear"
    return _Output(text, _results(given, command) | {"rows": _records(rows)})


def _breakpoints(model: ConvexAR, lags: Any) -> pd.DataFrame:
    rows = [(check_lags(lags)[b.column], b.location, b.slope_change, b.label) for b in model.breakpoints_]
    return pd.DataFrame(rows, columns=["lag", "location", "slope_change", "label"])


def _results(given: _Input, command: str) -> dict[str, Any]:
    return {
        "series": given.label,
        "nobs": len(given.series),
        "command": command,
        "version": cvxar.__version__,
    }


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): _plain(value) for key, value in row.items()} for row in rows.to_dict("records")]


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="cvxar",
        description="Neural autoregression with a certificate of optimality.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"cvxar {cvxar.__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    benchmark = _command(
        commands, "benchmark", _benchmark, "compare with AR(1), the random walk and networks"
    )
    benchmark.add_argument("--horizon", type=_whole, default=1, help="steps ahead (default: 1)")
    benchmark.add_argument(
        "--test",
        type=_part,
        default=0.2,
        help="fraction, or number, of last values to forecast (default: 0.2)",
    )
    fit = _command(commands, "fit", _fit, "fit ConvexAR and print its summary")
    for drawing in (benchmark, fit):
        drawing.add_argument("--plot", metavar="FILE", help="draw a figure (.png, .pdf, .svg)")
    forecast = _command(commands, "forecast", _forecast, "forecast the coming observations")
    forecast.add_argument("--steps", type=_whole, default=1, help="how many (default: 1)")
    forecast.add_argument("--level", type=_reals, help="bands in per cent, such as 80 or 80,95")
    for random in (benchmark, forecast):
        random.add_argument("--seed", type=_seed, default=0, help="of everything random (default: 0)")
    path = _command(commands, "path", _path, "solve along a decreasing grid of penalties", choice="grid")
    path.add_argument("--n-betas", type=_whole, default=20, help="size of the grid (default: 20)")
    path.add_argument("--min-ratio", type=_real, default=1e-4, help="its end, a share of beta_max (1e-4)")
    _command(commands, "features", _features, "list the breakpoints of the fitted network")
    return parser


def _command(commands: Any, name: str, run: Any, purpose: str, choice: str = "beta") -> Any:
    """One command with the options all share; ``choice`` is what decides the penalty."""
    parser = commands.add_parser(name, help=purpose, description=purpose, allow_abbrev=False)
    parser.set_defaults(run=run, plot=None)
    parser.add_argument(
        "series",
        nargs="?",
        metavar="SERIES",
        help="CSV or Parquet file, or Yahoo symbol (default: bundled Bitcoin)",
    )
    parser.add_argument("--column", help="which column of the file (default: its close)")
    parser.add_argument("--lags", type=_lags, default=1, help="3 for lags 1 to 3, or 1,7 (default: 1)")
    parser.add_argument(
        "--architecture", default="relu", help=f"one of {', '.join(architectures.BY_NAME)} (default: relu)"
    )
    parser.add_argument(
        "--depth", type=_whole, default=2, help="layers of relu, leaky_relu or abs (default: 2)"
    )
    if choice == "beta":
        parser.add_argument(
            "--beta", type=_number_or_name, default="bic", help="number, bic, aic or hqic (default: bic)"
        )
    parser.add_argument(
        "--skip", action=argparse.BooleanOptionalAction, default=True, help="free linear terms (default: yes)"
    )
    parser.add_argument("--json", metavar="FILE", help="write results as JSON; - for standard output, alone")
    return parser


def _converter(read: Callable[[str], Any], wanted: str) -> Callable[[str], Any]:
    """An argparse type whose error says what is wanted."""

    def convert(text: str) -> Any:
        try:
            return read(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{wanted} is wanted, got {text!r}") from None

    return convert


def _number_or_name(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _natural(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(text)
    return int(text)


_whole = _converter(int, "a whole number")
_real = _converter(float, "a number")
_seed = _converter(_natural, "a whole number, 0 or more,")
_reals = _converter(
    lambda text: [float(part) for part in text.split(",")], "a number, or several as in 80,95,"
)
_lags = _converter(
    lambda text: [int(part) for part in text.split(",")] if "," in text else int(text),
    "a number of lags, or lags as in 1,7,",
)
_part = _converter(
    lambda text: int(text) if text.isdecimal() else float(text), "a fraction or a whole number"
)
