"""Figures as SVG text that lives inside a page: no outside reference, colours that follow the page."""

import io
import re
from collections.abc import Callable
from html import escape
from typing import Any

from cvxar.figures import COLOURS, check_matplotlib

# what a page must define: the text's own colour, its background, and one variable per colour of the figures
VARIABLES = {colour.lower(): f"var(--c{i})" for i, colour in enumerate(COLOURS)}
LOOK: Any = {"svg.fonttype": "none", "font.size": 9, "axes.titlesize": 9, "date.converter": "concise"}
FOLLOW = {"#000000": "currentColor", "#ffffff": "var(--page)", "#cccccc": "var(--line)"} | VARIABLES


def inline_svg(
    draw: Callable[[Any], object],
    name: str,
    label: str,
    *,
    rows: int = 1,
    size: tuple[float, float] = (5.2, 3.7),
) -> str:
    """Draw on fresh axes and return an ``<svg>`` element.

    Parameters
    ----------
    draw : callable
        Draws on the axes it is given (an array of them if ``rows`` is above 1).
    name : str
        Put before every id, so that several figures can stand on one page.
    label : str
        What the figure shows, for those who cannot see it.
    rows : int, default 1
        Axes below one another.
    size : tuple of float
        Inches of one row; text keeps its size, so that a small figure can be read on a small screen.

    Raises
    ------
    InputError
        When matplotlib is not installed.

    Examples
    --------
    >>> text = inline_svg(lambda ax: ax.plot([0, 1], color="black"), "a", "a line")
    >>> text[:4], "http" in text, "currentColor" in text
    ('<svg', False, True)
    """
    check_matplotlib()
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    buffer = io.StringIO()
    with rc_context(LOOK | {"svg.hashsalt": name}):
        figure = Figure(figsize=(size[0], size[1] * rows), layout="constrained")
        draw(figure.subplots(rows))
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return _embedded(buffer.getvalue(), name, label)


def _embedded(document: str, name: str, label: str) -> str:
    """Turn an SVG document into an element of a page."""
    body = re.sub(r"<(metadata|style).*?</\1>", "", document[document.index("<svg") :], flags=re.DOTALL)
    head, rest = body.split(">", 1)
    box = re.search(r'viewBox="[^"]*"', head)
    rest = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', rest)
    rest = re.sub(r'(?:xlink:)?href="#([^"]+)"', rf'href="#{name}-\1"', rest)
    rest = rest.replace("url(#", f"url(#{name}-").replace("xlink:href", "href")
    rest = re.sub("#[0-9a-fA-F]{6}", lambda found: FOLLOW.get(found[0].lower(), found[0]), rest)
    return f'<svg {box[0] if box else ""} role="img" aria-label="{escape(label)}">{rest.strip()}'
