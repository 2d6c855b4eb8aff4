"""The summary in HTML and LaTeX: every name, title and note is text there, never markup."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd

from cvxar.datasets import load_sunspots
from cvxar.model import ConvexAR
from cvxar.summary_markup import latex_text

SUNSPOTS = load_sunspots()


class Cells(HTMLParser):
    """The text of every cell and caption, the tags other than those of tables, and the text outside."""

    def __init__(self, page):
        super().__init__()
        self.texts, self.odd = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.texts.append("")
        if tag not in {"table", "caption", "tr", "th", "td", "br"}:
            self.odd.append(tag)

    def handle_data(self, data):
        self.texts[-1] += data


def awkward():
    values = pd.Series(SUNSPOTS.to_numpy()[:120], name="a_b <i>&amp; 5%")
    exog = pd.DataFrame({"{x}#1 | y^2 ~ \\n$": np.cos(np.arange(120.0))})
    return ConvexAR(2, nonlinear_lags=[1, 2], beta_ratio=0.05).fit(values, exog)


def test_names_in_the_html_summary_are_text():
    model = awkward()
    page = Cells(model.summary().as_html())
    assert page.odd == []
    shown = [text.strip() for text in page.texts]
    assert {*model.params_.index, "Regimes of a_b <i>&amp; 5%.L1", "a_b <i>&amp; 5%"} <= set(shown)
    assert any("Training range: a_b <i>&amp; 5%.L1 in [" in text for text in shown)


def test_the_latex_summary_has_a_title_for_every_table_and_no_special_letter_in_names():
    model = awkward()
    summary = model.summary()
    text = summary.as_latex()
    titles = [table.title for table in summary.tables]
    assert titles[1:] == [
        "Linear part (unpenalised)",
        *(f"Regimes of {model._results.frame.names[j]}" for j in (0, 1)),
    ]
    assert text.count(r"\begin{tabular}") == text.count(r"\begin{center}") == len(titles)
    assert [
        printed(line) for line in text.splitlines() if line.endswith(r"} \\") and " & " not in line
    ] == titles
    for name in model.params_.index:
        assert rf"\textbf{{{latex_text(name)}}}" in text
        assert printed(latex_text(name)) == name
    notes = (
        text[text.rindex(r"\end{center}") :]
        .removeprefix(r"\end{center}")
        .replace(" \\newline\n ", "\n")
        .strip()
    )
    assert printed(notes) == summary.extra_txt


def printed(latex):
    """What LaTeX prints of text without mathematics: a reader of its own, letter by letter."""
    words = {"textbackslash": "\\", "textasciitilde": "~", "textasciicircum": "^"}
    words |= {"textless": "<", "textgreater": ">", "textbar": "|"}
    latex = re.sub(r"^\\textbf\{(.*)\} \\\\$", r"\1", latex)
    assert not re.search(r"(?<!\\)[#$%&_^~<>|]", latex)
    return re.sub(r"\\(?:([a-z]+)\{\}|(.))", lambda m: words[m[1]] if m[1] else m[2], latex)
