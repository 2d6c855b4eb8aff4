"""What every figure shares: where matplotlib is loaded, colours, axes, and writing a picture to a file."""

from collections.abc import Callable
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cvxar.errors import InputError, InputTypeError
from cvxar.files import write_atomically

# Okabe and Ito's colours can be told apart by colour-blind readers; black is kept for the data.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999")
STYLES = ("-", "--", "-.", ":")
GREY = "#999999"
FEW = 50  # markers up to this number are large
MOST_LEGEND = 0.5  # share of the height that a legend may take
CROWD = 2000  # markers beyond this number are drawn as one image, small and translucent


def check_matplotlib() -> None:
    """Raise unless matplotlib is installed.

    Raises
    ------
    InputError
        Naming the extra that brings it.
    """
    if find_spec("matplotlib") is None:
        raise InputError('plots need matplotlib, which is not installed; run: pip install "cvxar[plots]"')


def check_figure_file(path: str | PathLike[str]) -> None:
    """Raise unless matplotlib is installed and can write a figure with the suffix of ``path``.

    Examples
    --------
    >>> check_figure_file("a.txt")
    Traceback (most recent call last):
        ...
    cvxar.errors.InputError: cannot draw into a.txt: give a name that ends in .png, .pdf or .svg ...
    """
    check_matplotlib()
    from matplotlib.backend_bases import FigureCanvasBase

    known = FigureCanvasBase.get_supported_filetypes()
    if Path(path).suffix.lower().removeprefix(".") not in known:
        usual = "a name that ends in .png, .pdf or .svg (or another format that matplotlib writes)"
        raise InputError(f"cannot draw into {Path(path)}: give {usual}")


def save_figure(draw: Callable[[], Any], path: str | PathLike[str]) -> None:
    """Draw a figure without a screen and write it: completely or not at all.

    Parameters
    ----------
    draw : callable
        Makes and returns the figure.
    path : path-like
        Its suffix chooses the format.

    Raises
    ------
    InputTypeError
        For a figure instead of a function that makes one.
    """
    if not callable(draw):
        raise InputTypeError(
            f"draw must be a function that makes and returns the figure, got {type(draw).__name__}; a figure "
            "that is made already is written by figure.savefig(path)"
        )
    from matplotlib import pyplot

    pyplot.switch_backend("agg")
    figure = draw()
    write_atomically(path, lambda file: figure.savefig(file, dpi=150))
    pyplot.close(figure)


def new_axes(ax: Any = None, size: tuple[float, float] = (8.0, 4.5)) -> Any:
    """Return the axes given, or make a figure of this size in inches and return its axes.

    Raises
    ------
    InputError
        When matplotlib is not installed.
    """
    if ax is not None:
        return ax
    check_matplotlib()
    from matplotlib import pyplot

    return pyplot.subplots(figsize=size, layout="constrained")[1]


def new_grid(axes: Any, shape: tuple[int, int], size: tuple[float, float], **options: Any) -> Any:
    """Return the axes given as an array of this shape, or make a figure with them.

    Raises
    ------
    InputError
        When another number of axes is given.
    """
    check_matplotlib()
    from matplotlib import pyplot

    if axes is None:
        return pyplot.subplots(*shape, figsize=size, squeeze=False, layout="constrained", **options)[1]
    given = np.asarray(axes, dtype=object)
    if given.size != np.prod(shape):
        wanted = int(np.prod(shape))
        raise InputError(f"this figure needs {wanted} axes, got {given.size}; leave ax out to have them made")
    return given.reshape(shape)


def finish(ax: Any, xlabel: str, ylabel: str) -> Any:
    """Name the axes and give them the look that all figures have."""
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    words = [ax.title, ax.xaxis.label, ax.yaxis.label]
    if ax.get_legend_handles_labels()[1]:
        words += ax.legend(fontsize=8, framealpha=0.85, edgecolor="none").get_texts()
    for text in words:
        # names of series and models may hold dollar signs, which are no formulas
        text.set_parse_math(False)
    ax.grid(alpha=0.25)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def legend_on_top(ax: Any, fontsize: float, lead: str = "") -> float:
    """Put the legend in rows along the upper edge; return the share of the height that it takes.

    It covers nothing once that share is kept free, see :func:`make_room`. Where it would take more than half
    of the height, its last entries are left out.

    Parameters
    ----------
    ax : matplotlib Axes
    fontsize : float
    lead : str
        Written before the first entry.
    """
    entries = list(zip(*ax.get_legend_handles_labels(), strict=True))
    for count in range(len(entries), 0, -1):
        share = _rows_on_top(ax, entries[:count], fontsize, lead)
        if share <= MOST_LEGEND:
            return share
    ax.get_legend().remove()
    return 0.0


def _rows_on_top(ax: Any, entries: list[tuple[Any, str]], fontsize: float, lead: str) -> float:
    """Draw a legend in as many columns as the axes are wide; return its share of the height."""
    from matplotlib.lines import Line2D

    room, look = ax.get_window_extent(), {"frameon": False, "fontsize": fontsize, "handlelength": 1.5}
    nothing = Line2D([], [], linestyle="none")
    for columns in range(len(entries), 0, -1):
        # the lead has a column of its own
        blank = [(nothing, "")] * (-(-len(entries) // columns) - 1)
        handles, labels = zip(*([(nothing, lead), *blank] if lead else []), *entries, strict=True)
        ncols = columns + bool(lead)
        legend = ax.legend(
            handles, labels, ncols=ncols, loc="upper left", columnspacing=1.0, borderaxespad=0.1, **look
        )
        taken = legend.get_window_extent()
        if taken.width <= room.width:
            break
    return float((room.y1 - taken.y0) / room.height)


def make_room(ax: Any, below: float, above: float) -> None:
    """Keep the lowest and highest shares of the axes free of what is drawn, and of ticks."""
    scale = ax.yaxis.get_transform()
    ends = ax.get_ylim()
    low, high = scale.transform(np.array(ends))
    height = (high - low) / (1.0 - below - above)
    ax.set_ylim(scale.inverted().transform(np.array([low - below * height, high + above * height])))
    if below:
        ax.set_yticks([tick for tick in ax.get_yticks() if ends[0] <= tick <= ends[1]])


def dots(count: int) -> dict[str, Any]:
    """Return how to draw so many data points: many are small, translucent and one image in vector files.

    Examples
    --------
    >>> dots(10)["rasterized"], dots(100_000)["rasterized"]
    (False, True)
    """
    crowd = count > CROWD
    return {
        "linestyle": "none",
        "marker": ".",
        "color": "black" if count <= FEW else GREY,
        "markersize": 2 if crowd else 5 if count > FEW else 10,
        "alpha": max(0.15, (CROWD / count) ** 0.5) if crowd else 0.9,
        "markeredgewidth": 0,
        "rasterized": crowd,
    }


def band_levels(forecast: pd.DataFrame) -> list[str]:
    """Return the levels of the bands among the columns, in per cent and ascending.

    Examples
    --------
    >>> band_levels(pd.DataFrame(columns=["mean", "lower_95", "upper_95", "lower_80", "upper_80"]))
    ['80', '95']
    """
    columns = map(str, forecast.columns)
    return sorted((c.removeprefix("lower_") for c in columns if c.startswith("lower_")), key=float)


def shade(level: str) -> float:
    """Return how opaque a band is drawn: the wider, the fainter."""
    return 0.12 + 0.28 * (1 - float(level) / 100)


def stamps(time: Any) -> Any:
    """Return times as matplotlib can draw them."""
    index = pd.Index(time)
    return index.to_timestamp() if isinstance(index, pd.PeriodIndex) else index.to_numpy()


def strip(ax: Any, bottom: float, height: float, title: str) -> Any:
    """Return a band across the axes that shares their x, for what belongs under the main picture.

    Parameters
    ----------
    ax : matplotlib Axes
    bottom, height : float
        Shares of the height of ``ax``.
    title : str
        Written at the left, upright.
    """
    band = ax.inset_axes([0.0, bottom, 1.0, height], sharex=ax)
    band.patch.set_alpha(0.0)
    band.spines[["left", "right", "bottom"]].set_visible(False)
    band.spines["top"].set_color("#cccccc")
    band.tick_params(left=False, labelleft=False, bottom=False, labelbottom=False)
    band.set_ylabel(title, fontsize=8)
    return band


def scatter(ax: Any, x: Any, y: Any, label: str) -> None:
    """Draw data points; however small they are, the legend shows one that can be seen."""
    look = dots(len(x))
    ax.plot(x, y, **look)
    ax.plot([], [], **look | {"markersize": 5, "alpha": 1.0}, label=label)
