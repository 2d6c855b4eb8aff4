"""Figures of one trained network: its map, the units it is made of, and where its kinks come from."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cvxar._typing import Array, ArrayLike
from cvxar.figures import COLOURS, GREY, finish, legend_on_top, make_room, new_axes, scatter, strip
from cvxar.network import Breakpoint, Network
from cvxar.reflections import Origin

MARKS = {"data point": "o", "reflection": "D", "midpoint": "^", "generalised reflection": "s", "other": "x"}
MOST_MIRRORED, MOST_UNITS, MOST_REGIMES = 8, 6, 40
FLOOR, ARCS = 0.24, 0.16  # shares of the height for the units, and for the mirror arcs


@dataclass(frozen=True)
class _Scene:
    """The map of one input column, and the stretch of it that is shown."""

    network: Network
    column: int
    x: Array
    points: Array
    breaks: tuple[Breakpoint, ...]
    low: float
    high: float
    everywhere: bool

    def __call__(self, x: Array) -> Array:
        return self.network.constant + self.network.pieces(self.column)(x)

    @property
    def units(self) -> list[int]:
        """Units that read this column."""
        return [i for i, unit in enumerate(self.network.point.features) if unit.column == self.column]

    @property
    def visible(self) -> list[Breakpoint]:
        """Breakpoints shown, from left to right."""
        return [b for b in self.breaks if self.low <= b.location <= self.high]

    @property
    def marked(self) -> list[Breakpoint]:
        """Those that the map shown bends at: beyond the data only where it goes on as trained."""
        low, high = self.x.min(), self.x.max()
        return [b for b in self.visible if self.everywhere or low <= b.location <= high]

    @property
    def mirrored(self) -> list[Breakpoint]:
        """Visible breakpoints that follow from others by a rule, the strongest few."""
        made = [b for b in self.visible if b.origin.parents and not b.jump]
        return sorted(made, key=lambda b: -abs(b.slope_change))[:MOST_MIRRORED]


def plot_network(
    network: Network,
    x: ArrayLike,
    y: ArrayLike,
    *,
    column: int = 0,
    name: str = "y",
    lag: int = 1,
    linear_slope: float | None = None,
    extrapolation: str = "network",
    ax: Any = None,
) -> Any:
    r"""Draw the map from one lag to the present, its units under it, and what its kinks mirror.

    From top to bottom: the data, the fitted map with its breakpoints and regimes (bands) and the linear
    fit; for every reflected breakpoint, nested ones included, an arc from the point that is reflected
    over its mirror to the image (for a midpoint, from one end to the other); the units times
    their coefficients :math:`z_i \varphi_i(x)`, less their value at the left.

    With several columns the points are partial residuals: what the other lags explain is taken away.

    Parameters
    ----------
    network : Network
    x : array_like of shape (n,) or (n, p)
        Training inputs.
    y : array_like of shape (n,)
        Training targets, less everything that is not the network (exogenous columns, seasons).
    column : int, default 0
        Which column of ``x`` is drawn.
    name : str
        Name and unit of the series.
    lag : int, default 1
        Lag of that column.
    linear_slope : float, optional
        Slope of the linear fit in that column; default: least squares on the columns of ``x``.
    extrapolation : {"network", "ar"}
        How the map goes on beyond the data (dotted): as trained, or with ``linear_slope``.
    ax : matplotlib Axes, optional
        Made when not given.

    Returns
    -------
    matplotlib Axes
        Its ``child_axes`` hold the units and the arcs.
    """
    ax = new_axes(ax, (8.0, 6.0))
    inputs = np.asarray(x, dtype=float)
    inputs = inputs[:, None] if inputs.ndim == 1 else inputs
    targets = np.asarray(y, dtype=float)
    slope = _linear_slopes(inputs, targets)[column] if linear_slope is None else linear_slope
    scene = _scene(network, inputs, targets, column, extrapolation == "network")
    _draw_map(ax, scene, slope, slope if extrapolation == "ar" else None)
    _draw_regimes(ax, scene)
    ax.set_xlim(scene.low, scene.high)
    finish(ax, f"{name}, lag {lag}", name if inputs.shape[1] == 1 else f"{name}, other lags taken away")
    below = (FLOOR if scene.units else 0.0) + (ARCS if scene.mirrored else 0.0)
    make_room(ax, below, legend_on_top(ax, 8))
    if scene.units:
        _draw_units(strip(ax, 0.0, FLOOR, "units"), scene)
    if scene.mirrored:
        _draw_arcs(strip(ax, FLOOR, ARCS, "mirrors"), scene)
    return ax


def _scene(network: Network, x: Array, y: Array, column: int, everywhere: bool) -> _Scene:
    """Show the data, and breakpoints beside them up to a quarter of their range."""
    part, own = network.pieces(column), x[:, column]
    points = network.constant + part(own) + y - network(x)
    breaks = tuple(b for b in network.breakpoints if b.column == column)
    low, high = float(own.min()), float(own.max())
    beside = (high - low) / 4
    near = [b.location for b in breaks if low - beside <= b.location <= high + beside]
    low, high = min([low, *near]), max([high, *near])
    margin = (high - low or 1.0) / 25
    return _Scene(network, column, own, points, breaks, low - margin, high + margin, everywhere)


def _corners(scene: _Scene, low: float, high: float) -> tuple[Array, Array]:
    """The map as a line: both sides of every breakpoint between two places, jumps included."""
    inside = [b for b in scene.breaks if low < b.location < high]
    where = np.repeat([b.location for b in inside], 2)
    places = np.concatenate([[low], where, [high]])
    before = np.zeros(len(places))
    before[1:-1:2] = [b.jump for b in inside]
    return places, scene(places) - before


def _draw_map(ax: Any, scene: _Scene, slope: float, outside: float | None) -> None:
    ends = np.array([scene.x.min(), scene.x.max()])
    scatter(ax, scene.x, scene.points, "data")
    middle = scene.points.mean() + slope * (ends - scene.x.mean())
    ax.plot(ends, middle, "--", color=COLOURS[1], linewidth=1.2, label="linear fit")
    ax.plot(*_corners(scene, *ends), color=COLOURS[0], linewidth=1.8, label="network")
    for end, edge in zip(ends, (scene.low, scene.high), strict=True):
        x, y = _corners(scene, *sorted((float(end), edge)))
        if outside is not None:
            x, y = np.array([end, edge]), scene(end) + outside * np.array([0.0, edge - end])
        ax.plot(x, y, ":", color=COLOURS[0], linewidth=1.4)
    size = 5 if len(scene.marked) <= 20 else 3
    for label, mark in MARKS.items():
        own = [b for b in scene.marked if b.label == label]
        if own:
            where = np.array([b.location for b in own])
            middles = scene(where) - np.array([b.jump for b in own]) / 2
            text = f"{label} ({len(own)})"
            ax.plot(where, middles, mark, color="black", markersize=size, linestyle="none", label=text)


def _draw_regimes(ax: Any, scene: _Scene) -> None:
    """Shade every other linear piece."""
    inner = [b.location for b in scene.marked]
    edges = [scene.low, *inner, scene.high]
    if not inner or len(edges) > MOST_REGIMES:
        return
    for left, right in zip(edges[::2], edges[1::2], strict=False):
        ax.axvspan(left, right, color=COLOURS[5], alpha=0.10, linewidth=0)


def _draw_units(ax: Any, scene: _Scene) -> None:
    """Draw units times coefficients; the largest few in colour, with their coefficients."""
    point, ends = scene.network.point, np.array([scene.low, scene.high])
    lines = {i: _unit_line(point.features[i], float(point.coef[i]), ends) for i in scene.units}
    order = sorted(lines, key=lambda i: -float(np.ptp(lines[i][1])))
    for i in order[MOST_UNITS:]:
        ax.plot(*lines[i], color=GREY, linewidth=0.7, alpha=0.6)
    for place, i in enumerate(order[:MOST_UNITS]):
        ax.plot(*lines[i], color=COLOURS[place], linewidth=1.4, label=f"{point.coef[i]:.3g}")
    lead = f"coefficient ({len(order)} unit{'s' if len(order) > 1 else ''})"
    make_room(ax, 0.0, legend_on_top(ax, 7, lead=lead))


def _unit_line(unit: Any, z: float, ends: Array) -> tuple[Array, Array]:
    kinks = unit.kinks()
    inside = (kinks.points > ends[0]) & (kinks.points < ends[1])
    where, jumps = kinks.points[inside], kinks.jumps[inside]
    order = np.argsort(where)
    places = np.concatenate([ends[:1], np.repeat(where[order], 2), ends[1:]])
    values = unit(places)
    values[1:-1:2] -= jumps[order]
    return places, z * (values - values[0])


def _draw_arcs(ax: Any, scene: _Scene) -> None:
    """Draw one colour a breakpoint, arcs as high as they are wide."""
    arcs = [
        (*arc, COLOURS[i % len(COLOURS)])
        for i, b in enumerate(scene.mirrored)
        for arc in mirror_arcs(b.origin)
    ]
    widest = max(abs(end - start) for start, end, _ in arcs)
    turn = np.linspace(0.0, np.pi, 61)
    for start, end, colour in arcs:
        middle, half = (start + end) / 2, (end - start) / 2
        height = abs(end - start) / widest
        ax.plot(middle - half * np.cos(turn), height * np.sin(turn), color=colour, linewidth=1.0)
        ax.plot([middle, middle], [0.0, height], "--", color=colour, linewidth=0.7, alpha=0.7)
        ax.plot([start, end], [0.0, 0.0], "o", color=colour, markersize=4, markerfacecolor="white")
    for i, b in enumerate(scene.mirrored):
        ax.plot([b.location], [0.0], MARKS[b.label], color=COLOURS[i % len(COLOURS)], markersize=5)
    ax.set_ylim(-0.12, 1.1)


def mirror_arcs(origin: Origin) -> list[tuple[float, float]]:
    """Return the arcs that show how a place follows from data points, as pairs (from, to).

    Half way between the two stands the mirror: ``R(a, b)`` is an arc from a to the image over b, and
    ``M(a, b)`` one from a to b over the midpoint; ``G(a, b, c)`` is an arc from a to the image over the
    midpoint of b and c, and one from b to c. Arcs of the places it follows from come after.

    Examples
    --------
    >>> from cvxar.reflections import data_point
    >>> mirror_arcs(Origin(7.0, "reflection", "R", (data_point(1.0), data_point(4.0))))
    [(1.0, 7.0)]
    """
    places = [parent.location for parent in origin.parents]
    own: list[tuple[float, float]] = []
    if origin.rule in ("R", "G"):
        own.append((places[0], origin.location))
    if origin.rule in ("M", "G"):
        own.append((places[-2], places[-1]))
    inner = [arc for parent in origin.parents for arc in mirror_arcs(parent)]
    return list(dict.fromkeys([*own, *inner]))


def _linear_slopes(x: Array, y: Array) -> Array:
    design = np.column_stack([x - x.mean(axis=0), np.ones(len(x))])
    slopes: Array = np.linalg.lstsq(design, y, rcond=None)[0][:-1]
    return slopes
