"""The command line, ``cvxar COMMAND``: exit codes, and where what a command says goes.

Exit code 0: done. 2: input that cannot be used, with one line on stderr that says why. The commands
themselves are in :mod:`cvxar.commands`.
"""

import argparse
import json
import os
import shlex
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import cvxar
from cvxar import plots
from cvxar.commands import COMMANDS, Command
from cvxar.commands.arguments import Parser, add_shared, stack_layers
from cvxar.commands.base import Output
from cvxar.commands.inputs import load
from cvxar.errors import CvxarError
from cvxar.files import check_writable, write_atomically

STDOUT = "-"
BAD_INPUT, READER_GONE, INTERRUPTED = 2, 141, 130


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
    output = options.run(options, load(options.series, options.column), shlex.join(["cvxar", *argv]))
    if options.json != STDOUT:
        print(output.text)
    _write(options, output)
    return 0


def _check_options(options: argparse.Namespace) -> None:
    """Find out before any work whether its results can be wanted and written."""
    stack_layers(options)
    if options.json not in (None, STDOUT):
        check_writable(options.json)
    if options.html is not None:
        plots.check_matplotlib()
        check_writable(options.html)
    if options.plot is not None:
        plots.check_figure_file(options.plot)
        check_writable(options.plot)


def _write(options: argparse.Namespace, output: Output) -> None:
    text = json.dumps(output.results, indent=2, allow_nan=False)
    if options.json == STDOUT:
        print(text)
    elif options.json is not None:
        write_atomically(options.json, lambda file: file.write_text(f"{text}\n", encoding="utf-8"))
    if options.plot is not None and output.draw is not None:
        plots.save_figure(output.draw, options.plot)
    if options.html is not None and output.page is not None:
        output.page(options.html)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="cvxar",
        description="Neural autoregression with a certificate of optimality.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"cvxar {cvxar.__version__}")
    words = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        _add(words, command)
    return parser


def _add(words: Any, command: Command) -> None:
    parser = words.add_parser(
        command.name, help=command.purpose, description=command.purpose, allow_abbrev=False
    )
    parser.set_defaults(run=command.run, plot=None, html=None)
    add_shared(parser)
    command.add_options(parser)
