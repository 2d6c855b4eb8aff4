r"""The summary of statsmodels with names and titles that survive HTML and LaTeX.

Its own ``as_html`` takes names and notes for markup, and its ``as_latex`` joins all tables into one
without their titles and leaves ``_`` and ``%`` in notes as they are.
"""

import copy
from collections.abc import Callable
from html import escape
from typing import Any

from statsmodels.iolib.summary import Summary

LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        **{letter: f"\\{letter}" for letter in "#$%&_{}"},
    }
)


class MarkupSummary(Summary):  # type: ignore[misc]
    """A summary whose text is escaped in HTML and LaTeX, every table under its title."""

    def as_html(self) -> str:
        """Return the tables and notes as HTML; names and notes are text, never markup."""
        tables = "\n".join(table.as_html() for table in self._escaped(escape))
        return f"{tables}<br/><br/>" + escape(self.extra_txt).replace("\n", "<br/>")

    def as_latex(self) -> str:
        """Return the tables, each under its title, and the notes as LaTeX; needs the package booktabs."""
        tables = "\n".join(_centred(table) for table in self._escaped(latex_text))
        return f"{tables}\n\n" + latex_text(self.extra_txt).replace("\n", " \\newline\n ")

    def _escaped(self, text: Callable[[str], str]) -> list[Any]:
        """Copies of the tables with every cell and title escaped."""
        tables: list[Any] = copy.deepcopy(self.tables)
        for table in tables:
            table.title = text(table.title)
            for row in table:
                for cell in row:
                    cell.data = text(str(cell.data))
        return tables


def latex_text(text: str) -> str:
    r"""Return text that LaTeX prints as it is.

    Examples
    --------
    >>> print(latex_text("a_b < 5%"))
    a\_b \textless{} 5\%
    """
    return text.translate(LATEX)


def _centred(table: Any) -> str:
    title, table.title = table.title, ""
    body = table.as_latex_tabular(center=False, replacements={})
    return f"\\begin{{center}}\n\\textbf{{{title}}} \\\\\n{body}\n\\end{{center}}"
