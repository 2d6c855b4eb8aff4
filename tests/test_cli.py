"""The command line: what it prints, what it writes, and one line for every kind of bad input."""

import json
import os
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest

import cvxar
from cvxar.baselines import AutoRegression, RandomWalk
from cvxar.cli import main
from cvxar.commands import inputs
from cvxar.datasets import load_bitcoin
from cvxar.errors import CertificateWarning, DownloadError, InputError
from cvxar.model import ConvexAR
from cvxar.path import solve_path
from cvxar.problem import LassoProblem

COMMANDS = ["benchmark", "backtest", "fit", "forecast", "path", "features"]
ROW = [
    "model",
    "target",
    "train_mse",
    "test_rmse",
    "test_mae",
    "skill",
    "dm_pvalue",
    "fit_seconds",
    "relative_gap",
]
HEAD = {"series", "nobs", "command", "version"}
SMALL = ["--test", "4", "--beta", "1e6"]


@pytest.fixture
def prices(tmp_path):
    """A price file of 40 days, and the series in it."""
    series = load_bitcoin().iloc[250:290]
    file = tmp_path / "prices.csv"
    series.to_csv(file)
    return file, series


def results(capsys, *arguments):
    """What a command prints with ``--json -``: that and nothing else."""
    assert main([*arguments, "--json", "-"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out)


def test_benchmark_writes_its_contract(capsys, prices, tmp_path):
    file, _ = prices
    written, figure = tmp_path / "out.json", tmp_path / "out.png"
    arguments = ["benchmark", str(file), *SMALL, "--json", str(written), "--plot", str(figure)]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    read = json.loads(written.read_text())
    assert HEAD | {"rows", "training", "notes"} <= set(read)
    assert (read["series"], read["nobs"]) == ("prices.csv", 40)
    assert read["command"] == "cvxar " + " ".join(arguments)
    assert [row["target"] for row in read["rows"]] == 5 * ["level"] + 5 * ["log return"]
    for row in read["rows"]:
        assert set(ROW) <= set(row)
        assert row["model"] in out
        assert (row["relative_gap"] is None) == (row["model"] != "ConvexAR")
        assert row["relative_gap"] is None or row["relative_gap"] <= 1e-8
    assert all(run["ratio"] >= 1 - 1e-12 for run in read["training"])
    assert all(" ".join(words.split()) in " ".join(out.split()) for words in read["conclusions"])
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.json", "out.png", "prices.csv"]


def test_backtest_is_the_backtest(capsys, prices, tmp_path):
    file, series = prices
    figure = tmp_path / "out.png"
    arguments = [
        "--horizon",
        "2",
        "--step",
        "3",
        "--window",
        "20",
        "--refit",
        "2",
        "--lags",
        "2",
        "--level",
        "80",
    ]
    read = results(
        capsys, "backtest", str(file), *arguments, "--beta-ratio", "0.1", "--plot", str(figure), "--returns"
    )
    models = {
        "ConvexAR": ConvexAR(2, beta_ratio=0.1),
        "AR(1)": AutoRegression(),
        "AR(2)": AutoRegression(2),
        "random walk": RandomWalk(increments=True),
    }
    expected = cvxar.backtest(
        np.log(series).diff().iloc[1:], models, horizon=2, step=3, window=20, refit=2, level=80
    )
    assert figure.stat().st_size
    assert set(read) >= HEAD | {"rows", "comparisons", "origins", "relative_gap", "failures"}
    assert read["origins"] == 6
    assert read["relative_gap"] <= 1e-8
    scores, tests = expected.scores(), expected.compare()
    for row in read["rows"]:
        assert row["rmse"] == pytest.approx(scores.loc[row["model"], "rmse"], rel=1e-9)
    for row in read["comparisons"]:
        assert row["conclusion"] == tests.loc[row["model"], "conclusion"]
    assert main(["backtest", str(file), "--initial", "36"]) == 0
    assert "largest relative gap" in capsys.readouterr().out


def test_seed_and_options_reach_the_comparison(capsys, monkeypatch, prices):
    seen = {}

    def record(series, **options):
        seen.update(options, values=series.to_numpy())
        raise InputError("that is all that was to be known")

    monkeypatch.setattr("cvxar.commands.benchmark.compare", record)
    file, series = prices
    arguments = "--lags 1,7 --horizon 2 --test 0.3 --architecture abs --beta aic --no-skip --seed 5"
    assert "that is all" in complaint(capsys, "benchmark", str(file), *arguments.split())
    np.testing.assert_array_equal(seen.pop("values"), series)
    assert seen == {
        "lags": [1, 7],
        "horizon": 2,
        "test": 0.3,
        "architecture": "abs",
        "beta": "aic",
        "skip": False,
        "rng": 5,
    }


def test_fit_features_and_forecast_are_the_model(capsys, tmp_path):
    series = load_bitcoin()
    model = ConvexAR(2, beta=1e6).fit(series)
    arguments = ["--lags", "2", "--beta", "1e6"]
    fitted = results(capsys, "fit", *arguments, "--plot", str(tmp_path / "map.svg"))
    assert set(fitted) >= HEAD
    assert (fitted["series"], fitted["nobs"]) == ("bitcoin", 365)
    assert fitted["params"] == model.params_.to_dict()
    assert fitted["primal"] == model.certificate_.primal
    assert fitted["breakpoints"] == results(capsys, "features", *arguments)["rows"]
    assert [(b["lag"] - 1, b["location"], b["slope_change"], b["label"]) for b in fitted["breakpoints"]] == [
        (b.column, b.location, b.slope_change, b.label) for b in model.breakpoints_
    ]
    assert "<svg" in (tmp_path / "map.svg").read_text()
    forecast = results(capsys, "forecast", *arguments, "--steps", "3", "--level", "80,95", "--seed", "1")[
        "rows"
    ]
    expected = model.forecast(3, level=[80, 95], rng=1)
    normal = results(capsys, "forecast", *arguments, "--level", "80", "--intervals", "gaussian")["rows"][0]
    assert normal["upper_80"] == model.forecast(1, level=80, intervals="gaussian", rng=0)["upper_80"].iloc[0]
    assert [row.pop("time") for row in forecast] == ["2018-01-01", "2018-01-02", "2018-01-03"]
    assert pd.DataFrame(forecast).to_numpy() == pytest.approx(expected.to_numpy())


@pytest.mark.parametrize(
    "arguments", ["fit", "features", "forecast --steps 3", "path --n-betas 3"], ids=lambda a: a.split()[0]
)
@pytest.mark.parametrize("lags", ["1", "1,7"])
def test_a_command_draws_its_picture(capsys, prices, tmp_path, arguments, lags):
    figure = tmp_path / "a.png"
    assert main([*arguments.split(), str(prices[0]), "--lags", lags, "--plot", str(figure)]) == 0
    assert figure.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("architecture", ["abs --depth 3", "abs --depth 4", "tree_sign", "symmetrized_relu"])
def test_features_say_where_breakpoints_come_from(capsys, architecture):
    beta = "2e4" if "sign" in architecture else "2e7"
    arguments = f"features --lags 2 --beta {beta} --architecture {architecture}".split()
    found = results(capsys, *arguments)
    units = {unit["unit"]: unit for unit in found["units"]}
    assert list(units) == list(range(1, len(units) + 1))
    assert found["rows"]
    for row in found["rows"]:
        assert row["slope_change"] or row["jump"]
        assert all(units[i]["lag"] == row["lag"] for i in row["units"])
        assert any(row["formula"] in units[i]["kinks"] for i in row["units"])
    assert {i for row in found["rows"] for i in row["units"]} == set(units)
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert len(units) == len(out.split("kinks")[1].split("\n\n")[0].splitlines()) - 1
    assert all(row["formula"] in out and row["label"] in out for row in found["rows"])
    assert ("R(a, b) = 2 b - a" in out) == any("(" in row["formula"] for row in found["rows"])


def test_path_descends_from_beta_max(capsys):
    rows = results(capsys, "path", "--n-betas", "5", "--min-ratio", "0.01")["rows"]
    assert [row["beta_ratio"] for row in rows] == pytest.approx(np.geomspace(1, 0.01, 5))
    assert rows[0]["beta"] == pytest.approx(ConvexAR(beta_ratio=1.0).fit(load_bitcoin()).beta_max_)
    assert rows[0]["n_units"] == 0
    assert rows[-1]["n_units"] > 0
    assert all(row["relative_gap"] <= 1e-8 for row in rows)


@pytest.mark.parametrize("skip", ["--skip", "--no-skip"])
def test_path_can_stop_at_every_event(capsys, skip):
    arguments = [skip, "--min-ratio", "0.01", "--tol", "1e-9"]
    read = results(capsys, "path", "--method", "homotopy", *arguments)
    values = load_bitcoin().to_numpy()
    problem = LassoProblem(values[:-1], values[1:], beta=0.0, skip=skip == "--skip")
    expected = solve_path(problem, method="homotopy", min_ratio=0.01, tol=1e-9).to_frame()
    assert read["method"] == "homotopy"
    assert [row["beta"] for row in read["rows"]] == pytest.approx(expected["beta"].to_list(), rel=1e-9)
    assert [row["bic"] for row in read["rows"]] == pytest.approx(expected["bic"].to_list(), rel=1e-9)
    assert all(row["relative_gap"] <= 1e-9 for row in read["rows"])


def test_path_takes_the_penalties_given(capsys):
    rows = results(capsys, "path", "--betas", "1e5,1e6", "--lags", "2")["rows"]
    assert [row["beta"] for row in rows] == [1e6, 1e5]
    assert rows[0]["objective"] == pytest.approx(
        ConvexAR(2, beta=1e6).fit(load_bitcoin()).certificate_.primal, rel=1e-8
    )


MODEL = ["--trend", "ct", "--seasonal", "--period", "5", "--transform", "log"]
SETTINGS = {"trend": "ct", "seasonal": True, "period": 5, "transform": "log"}


def test_every_command_of_one_model_takes_its_options(capsys, prices):
    file, series = prices
    model = ConvexAR(beta_ratio=0.1, **SETTINGS).fit(series)
    fitted = results(capsys, "fit", str(file), *MODEL, "--beta-ratio", "0.1")
    assert fitted["params"] == model.params_.to_dict()
    assert (fitted["beta"], fitted["beta_max"]) == (model.beta_, model.beta_max_)
    forecast = results(capsys, "forecast", str(file), *MODEL, "--beta-ratio", "0.1", "--steps", "2")["rows"]
    expected = model.forecast(2, rng=0)["mean"].to_list()
    assert [row["mean"] for row in forecast] == pytest.approx(expected, rel=1e-9)
    features = results(capsys, "features", str(file), *MODEL, "--beta-ratio", "0.1")["rows"]
    assert [row["location"] for row in features] == [b.location for b in model.breakpoints_]
    path = results(capsys, "path", str(file), *MODEL, "--n-betas", "2", "--min-ratio", "0.1")["rows"]
    assert [row["beta"] for row in path] == pytest.approx([model.beta_max_, model.beta_])
    assert path[1]["objective"] == pytest.approx(model.certificate_.primal, rel=1e-8)


def test_backtest_takes_the_options_of_the_model(capsys, prices):
    file, series = prices
    read = results(capsys, "backtest", str(file), *MODEL, "--beta-ratio", "0.1", "--initial", "36")
    scores = cvxar.backtest(series, {"ConvexAR": ConvexAR(beta_ratio=0.1, **SETTINGS)}, initial=36).scores()
    (row,) = [row for row in read["rows"] if row["model"] == "ConvexAR"]
    assert row["rmse"] == pytest.approx(scores.loc["ConvexAR", "rmse"], rel=1e-9)


@pytest.mark.parametrize("command", COMMANDS)
def test_text_is_for_readers(capsys, prices, command):
    options = SMALL if command == "benchmark" else []
    assert main([command, str(prices[0]), *options]) == 0
    out, err = capsys.readouterr()
    assert out.strip()
    assert err == ""


def test_a_symbol_is_asked_for_and_a_path_is_read(capsys, monkeypatch, prices):
    monkeypatch.setattr(inputs, "fetch_prices", lambda symbol: prices[1] if symbol == "BTC-USD" else None)
    assert results(capsys, "features", "BTC-USD")["series"] == "BTC-USD"
    monkeypatch.setattr(inputs, "fetch_prices", never)
    assert results(capsys, "features", str(prices[0]))["series"] == "prices.csv"


def never(*_, **__):
    raise AssertionError("work was started on bad input")


def complaint(capsys, *arguments):
    """The line on stderr of a command that must fail."""
    assert main(list(arguments)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("cvxar: error: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("", "COMMAND"),
        ("bogus", "'benchmark'"),
        ("fit --nonsense", "--nonsense"),
        ("fit --bet 3", "--bet"),
        ("fit a b", "unrecognized"),
        ("fit --lags x", "lags as in 1,7, is wanted, got 'x'"),
        ("fit --lags 0", "lags must be 1 or more"),
        ("fit --beta -1", "beta must be finite and at least 0, got -1.0"),
        ("fit --beta bik", "'bic', 'aic', 'hqic'"),
        ("fit --architecture foo", "'relu', 'leaky_relu', 'abs'"),
        ("fit --depth 1", "--depth 1 is not available"),
        ("fit --depth 3 --architecture sign", "depth 2, or more with one of relu, leaky_relu, abs"),
        ("fit --depth two", "whole number"),
        ("fit --column close", "give a CSV or Parquet file"),
        ("fit nofile.csv", "nofile.csv"),
        ("fit no/such/prices", "must end in"),
        ("fit prices.xlsx", ".csv"),
        ("fit --json no/such/folder/a.json", "cannot write no/such/folder/a.json"),
        ("fit --json .", "Is a directory"),
        ("fit --plot a.txt", ".png"),
        ("fit --plot no/such/folder/a.png", "cannot write"),
        ("benchmark --horizon 0", "horizon must be at least 1"),
        ("benchmark --horizon 1.5", "whole number"),
        ("benchmark --test 1.5", "fraction between 0 and 1"),
        ("benchmark --test all", "fraction or a whole number"),
        ("benchmark --test 400", "for training"),
        ("benchmark --seed -1", "0 or more"),
        ("benchmark --beta bik", "'bic'"),
        ("benchmark --architecture foo", "'relu'"),
        ("forecast --steps 0", "steps must be at least 1"),
        ("forecast --level 0.8", "per cent"),
        ("forecast --level high", "80,95"),
        ("forecast --intervals normal", "'conformal'"),
        ("forecast --plot a", ".png"),
        ("path --n-betas 0", "n_betas must be a whole number of at least 1"),
        ("path --min-ratio 2", "min_ratio"),
        ("path --beta 3", "--beta"),
        ("path --method exact", "unknown method 'exact'; known: 'grid', 'homotopy'"),
        ("path --method homotopy --n-betas 3", "leave out --betas and --n-betas"),
        ("path --method homotopy --betas 3", "leave out --betas and --n-betas"),
        (
            "path --method homotopy --lags 2",
            "takes one lag, got 2; use one, such as --lags 1, or --method grid",
        ),
        ("path --method homotopy --trend ct", "such), got 1; use --method grid"),
        ("path --method homotopy --architecture sign", "--method homotopy takes two-layer relu"),
        ("path --method homotopy --tol 0", "tol must be"),
        ("path --betas 3,2 --n-betas 3", "leave out --n-betas and --min-ratio"),
        ("path --betas -3", "beta must be finite and at least 0, got -3.0"),
        ("fit --trend cc", "unknown trend 'cc'; known: 'n', 'c', 't', 'ct', 'ctt'"),
        ("fit --seasonal --period 1", "period must be at least 2"),
        ("features --transform exp", "'logdiff'"),
        ("fit --beta-ratio 2", "beta_ratio must be above 0 and at most 1"),
        ("forecast --beta 3 --beta-ratio 0.1", "give beta or beta_ratio, not both"),
        ("benchmark --trend ct", "--trend"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(capsys, monkeypatch, tmp_path, arguments, says):
    monkeypatch.chdir(tmp_path)
    for name in ("run_targets", "_warm_up"):
        monkeypatch.setattr(f"cvxar.contest.{name}", never)
    monkeypatch.setattr("cvxar.comparison.run_targets", never)
    assert says in complaint(capsys, *arguments.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("date,close\n2020-01-01,1\n2020-01-02,x\n", "line 3"),
        ("date,close\n2020-01-01,1\n2020-01-01,2\n", "2020-01-01"),
        ("date,close\n2020-01-01,1\n", "observation"),
        ("", "empty"),
        ("date,foo,bar\n2020-01-01,1,2\n", "'foo', 'bar']; choose one with --column"),
        ("date;close\n2020-01-01;1,5\n2020-01-02;2,5\n", "decimal comma is not read, write 1.5"),
    ],
)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_bad_file_is_one_line_and_exit_code_2(capsys, tmp_path, command, content, says):
    file = tmp_path / "bad.csv"
    file.write_text(content)
    assert says in complaint(capsys, command, str(file))


def test_a_download_that_fails_is_one_line_and_exit_code_2(capsys, monkeypatch):
    def offline(symbol):
        raise DownloadError(f"{symbol}: no connection;\n check the network", "offline")

    monkeypatch.setattr(inputs, "fetch_prices", offline)
    assert "BTC-USD: no connection; check the network" in complaint(capsys, "fit", "BTC-USD")


@pytest.mark.parametrize("command", ["benchmark", "fit", "forecast", "path", "features"])
def test_plotting_without_matplotlib_names_the_extra_before_any_work(capsys, monkeypatch, command):
    monkeypatch.setattr("cvxar.figures.find_spec", lambda name: None)
    monkeypatch.setattr(inputs, "load_bitcoin", never)
    assert 'pip install "cvxar[plots]"' in complaint(capsys, command, "--plot", "a.png")


def test_warnings_are_one_line_each(capsys, monkeypatch):
    def warned(options):
        warnings.warn("the gap is\nlarge", CertificateWarning, stacklevel=1)
        return ConvexAR(beta=1e9)

    monkeypatch.setattr("cvxar.commands.features.model_of", warned)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        assert main(["features"]) == 0
    out, err = capsys.readouterr()
    assert out == "no breakpoints: the fit is linear\n"
    assert err == "cvxar: warning: the gap is large\n"


def run(*arguments, **options):
    command = [sys.executable, "-m", "cvxar", *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **options)


def test_the_module_runs_and_help_and_version_succeed(capsys):
    with run("--version", stdout=subprocess.PIPE) as process:
        assert process.communicate() == (f"cvxar {cvxar.__version__}\n", "")
    assert process.returncode == 0
    for command in ([], *([name] for name in COMMANDS)):
        assert main([*command, "--help"]) == 0
        assert "usage: cvxar" in capsys.readouterr().out


def test_a_reader_that_leaves_is_no_crash():
    reader, writer = os.pipe()
    os.close(reader)
    with run("features", "--json", "-", stdout=writer) as process:
        os.close(writer)
        assert process.stderr.read() == ""
    assert process.returncode == 141


def test_a_backtest_that_never_forecasts_fails(capsys):
    assert main(["backtest", "--returns", "--transform", "log", "--initial", "350", "--beta-ratio", "1"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("cvxar: error: ConvexAR made no forecast at any of 14 origins; its first failure: ")
    assert err.count("\n") == 1


def test_autoregressions_of_a_backtest_are_on_the_scale_of_the_model(capsys, prices):
    """Of differences the forecast in the units of the series is known: the last value and a mean change."""
    file, series = prices
    options = ["--initial", "30", "--lags", "2", "--beta-ratio", "0.5"]
    read = results(capsys, "backtest", str(file), *options, "--transform", "diff")
    rmse = {row["model"]: row["rmse"] for row in read["rows"]}
    assert list(rmse) == ["ConvexAR", "diff AR(1)", "diff AR(2)", "random walk"]
    for lags in (1, 2):
        errors = [
            series.iloc[t]
            - series.iloc[t - 1]
            - AutoRegression(lags).fit(series.iloc[:t].diff().iloc[1:]).forecast(1)["mean"].iloc[0]
            for t in range(30, 40)
        ]
        assert rmse[f"diff AR({lags})"] == pytest.approx(np.sqrt(np.mean(np.square(errors))), rel=1e-6)
    assert all("diff AR(1)" in row["conclusion"] for row in read["comparisons"])


def test_a_backtest_counts_missing_days_as_a_fit_does(capsys, prices):
    file, series = prices
    series.drop(series.index[[12, 20, 21]]).to_csv(file)
    read = results(capsys, "backtest", str(file), "--initial", "36", "--beta-ratio", "0.5")
    gaps = series.copy()
    gaps.iloc[[12, 20, 21]] = np.nan
    models = {
        "ConvexAR": ConvexAR(beta_ratio=0.5),
        "AR(1)": ConvexAR(beta_ratio=1.0),
        "random walk": RandomWalk(),
    }
    expected = cvxar.backtest(gaps, models, initial=36).scores()["rmse"]
    assert {row["model"]: row["rmse"] for row in read["rows"]} == pytest.approx(expected.to_dict(), rel=1e-9)
    assert main(["backtest", str(file), "--returns", "--initial", "36", "--beta-ratio", "0.5"]) == 0


def test_the_figure_of_a_backtest_has_the_baseline_of_its_text(capsys, prices, tmp_path, monkeypatch):
    titles = []
    monkeypatch.setattr(
        "cvxar.plots.save_figure", lambda draw, path: titles.append(draw().axes[1].get_title())
    )
    options = ["--initial", "36", "--transform", "sqrt", "--plot", str(tmp_path / "a.png")]
    assert main(["backtest", str(prices[0]), *options, "--beta-ratio", "0.5"]) == 0
    assert "sqrt AR(1)" in capsys.readouterr().out
    assert titles == ["Squared error saved against sqrt AR(1), accumulated (up is better)"]
