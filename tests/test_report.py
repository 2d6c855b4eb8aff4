"""The report: everything is on the page, nothing is fetched, readable light and dark and on a phone."""

import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from matplotlib import image

from cvxar import ConvexAR, LassoProblem, compare, solve
from cvxar.baselines import AutoRegression, TrainedNetwork
from cvxar.cli import main
from cvxar.curves import training_curves
from cvxar.datasets import load_bitcoin
from cvxar.errors import InputError
from cvxar.figures import COLOURS
from cvxar.page import STYLE

EPOCHS = 30
VOID = {"meta", "br"}


@pytest.fixture(scope="module")
def prices():
    return load_bitcoin().iloc[240:310]


@pytest.fixture(scope="module")
def result(prices):
    return compare(prices.rename("<b>&price"), test=6)


@pytest.fixture(scope="module")
def text(result):
    return result.to_html(epochs=EPOCHS)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_curve_passes_through_the_fits_that_stop_there(prices, solver):
    train, options = prices.to_numpy(), {"beta": 1e5, "width": 6}
    network = TrainedNetwork(solver, **options)
    curve = network.descent().curve(train[:-1, None], train[1:], seed=3, epochs=[1, 7, 20])
    for epochs, point in zip([1, 7, 20], curve, strict=True):
        fitted = TrainedNetwork(solver, **options, steps=epochs)
        whole = fitted.descent().train(train[:-1, None], train[1:], seed=3)
        assert point.objective == pytest.approx(whole.objective, rel=1e-12)


def test_curves_lie_above_the_certified_optimum(prices):
    train, test, beta = prices.iloc[:60], prices.iloc[60:], 2e5
    table = training_curves(train, test, beta, epochs=EPOCHS, width=8)
    values = prices.to_numpy()
    x, y, ahead, later = values[:59], values[1:60], values[59:-1], values[60:]
    solution = solve(LassoProblem(x, y, beta=beta))
    optimum, linear = table.iloc[0], table.iloc[1]
    assert optimum["objective"] == pytest.approx(solution.certificate.primal)
    assert optimum["relative_gap"] <= 1e-8
    assert optimum["test_mse"] == pytest.approx(np.mean((later - solution.network(ahead)) ** 2))
    params = AutoRegression().fit(train).params_
    assert linear["train_mse"] == pytest.approx(np.mean((y - params["const"] - params.iloc[1] * x) ** 2))
    assert (table["ratio"].dropna() >= 1 - 1e-9).all()
    assert table.groupby("method")["epoch"].max()[["Adam", "SGD"]].tolist() == [EPOCHS, EPOCHS]
    with pytest.raises(InputError, match="test is empty"):
        training_curves(train, test.iloc[:0], beta)


class Reader(HTMLParser):
    """Collects what a page says and what it refers to; every tag must be closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.words, self.tags = [], [], [], [], set()
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        self.handle_startendtag(tag, attrs)

    def handle_startendtag(self, tag, attrs):
        self.ids += [value for name, value in attrs if name == "id"]
        self.links += [value for name, value in attrs if name in ("href", "src", "xlink:href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)


def test_the_page_is_whole_and_refers_to_nothing_outside(text):
    page = Reader(text)
    assert len(page.ids) == len(set(page.ids)) > 50
    local = [link for link in page.links if not link.startswith("data:image/png;base64,")]
    inside = re.findall(r"url\(#([^)]+)\)", text)
    assert {link.removeprefix("#") for link in local} | set(inside) <= set(page.ids)
    assert not re.search(r"https?:|@import|<script|<b>", text)
    assert page.tags.isdisjoint({"script", "link", "iframe", "img", "object", "b"})
    # every colour of the figures follows the page
    assert text.count("<style") == 1
    drawn = {colour.lower() for colour in re.findall("#[0-9a-fA-F]{6}", text.replace(STYLE, ""))}
    assert drawn.isdisjoint({"#000000", "#ffffff", "#cccccc", *(colour.lower() for colour in COLOURS)})
    assert all(f"--c{i}:" in STYLE for i in range(len(COLOURS)))
    # also black that is not written, being what SVG fills with
    assert re.search(r"^svg \{[^}]*fill: currentColor;", STYLE, re.MULTILINE)


def test_the_page_says_what_the_result_says(result, text):
    words = " ".join(" ".join(Reader(text).words).split())
    assert "<b>&price: forecasts compared" in words
    for sentence in (*result.conclusions, *result.notes, result.command):
        assert sentence in words
    for study in result.studies:
        assert str(study.model.certificate_) in words
        for point in study.model.breakpoints_[:5]:
            assert point.formula in words
    for value in (*result.table["test_rmse"], *result.training["objective"]):
        assert f"{value:.5g}" in words or f"{value:.10g}" in words
    assert text.count("<svg") == text.count("</svg>") == 2 * (2 + 2 + 1)


def test_models_of_the_caller_have_maps_but_no_curves(prices, tmp_path):
    models = {"two lags": ConvexAR([1, 3], beta_ratio=0.02), "AR(2)": AutoRegression(2)}
    result = compare(prices - prices.mean(), test=6, models=models)
    file = tmp_path / "report.html"
    file.write_text("old")
    text = result.to_html(file)
    assert file.read_text() == text
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert text.count("<svg") == 2 + 1
    assert "Adam" not in text
    plain = compare(prices, test=6, models={"AR(2)": AutoRegression(2)}).to_html()
    assert plain.count("<svg") == 2 * 2


def test_the_command_writes_the_report_or_says_why_not(tmp_path, capsys, prices, monkeypatch):
    prices.iloc[:30].to_csv(tmp_path / "a.csv", index_label="date")
    file = tmp_path / "report.html"
    command = ["benchmark", str(tmp_path / "a.csv"), "--test", "2", "--html"]
    assert main([*command, str(file)]) == 0
    text = file.read_text()
    assert f"file {tmp_path / 'a.csv'}, column close" in text
    assert "cvxar benchmark" in text
    assert main([*command, str(tmp_path / "no" / "a.html")]) == 2
    monkeypatch.setattr("cvxar.figures.find_spec", lambda name: None)
    assert main([*command, str(file)]) == 2
    assert "pip install" in capsys.readouterr().err


def chromium(folder, *arguments):
    """Run a browser without a screen and without a network."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("Chromium is not installed")
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --hide-scrollbars"
    quiet = "--disable-background-networking --disable-component-update --disable-sync"
    offline = "--host-resolver-rules=MAP * ~NOTFOUND"
    done = subprocess.run(
        [
            program,
            *flags.split(),
            *quiet.split(),
            offline,
            f"--user-data-dir={folder / 'own'}",
            *arguments,
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize(("scheme", "dark"), [("1", False), ("0", True)], ids=["light", "dark"])
def test_a_browser_draws_it_light_and_dark(text, tmp_path, scheme, dark):
    (tmp_path / "report.html").write_text(text, encoding="utf-8")
    picture = tmp_path / "a.png"
    chromium(
        tmp_path,
        f"--blink-settings=preferredColorScheme={scheme}",
        "--window-size=900,1400",
        f"--screenshot={picture}",
        (tmp_path / "report.html").as_uri(),
    )
    light = image.imread(picture)[..., :3].mean(axis=2)
    ground, ink = float(np.median(light)), float(np.quantile(light, 0.001 if not dark else 0.999))
    assert (ground < 0.2) == dark
    assert abs(ground - ink) > 0.6  # text and axes stand out
    # the figures too, in the part of the page where they are
    figures = light[700:1000]
    assert np.mean(np.abs(figures - ground) > 0.4) > 0.003


def test_a_phone_shows_the_page_without_scrolling_sideways(text, tmp_path):
    probe = (
        "<script>onload = () => { document.title = [document.documentElement.scrollWidth, innerWidth, "
        "Math.min(...[...document.querySelectorAll('svg')].map(s => s.getBoundingClientRect().width))]; "
        "parent.document.title = document.title; }</script></body>"
    )
    inner = text.replace("</body>", probe).replace("&", "&amp;").replace('"', "&quot;")
    frame = tmp_path / "frame.html"
    frame.write_text(f'<iframe width="390" height="844" style="border:0" srcdoc="{inner}"></iframe>')
    shown = chromium(tmp_path, "--window-size=800,900", "--dump-dom", frame.as_uri())
    page, width, smallest = map(float, re.search(r"<title>([^<]*)</title>", shown)[1].split(","))
    assert page <= width == 390
    assert smallest > 330


def test_stamps_of_any_kind_are_drawn(prices):
    for index in (pd.period_range("2017-01", periods=70, freq="M"), pd.RangeIndex(70)):
        series = pd.Series(prices.to_numpy(), index=index)
        assert compare(series, test=4, models={"AR(2)": AutoRegression(2)}).to_html().count("<svg") == 4
