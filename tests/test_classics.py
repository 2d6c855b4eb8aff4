"""The classic series: the examples run, and reproduce what is known of them."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from cvxar.datasets import load_lynx, load_sunspots

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def run(name, monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    names = runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    return names, capsys.readouterr().out


def test_bundled_lynx_show_their_cycle_of_ten_years():
    lynx = np.log10(load_lynx())
    assert (str(lynx.index[0]), str(lynx.index[-1]), len(lynx)) == ("1821", "1934", 114)
    spectrum = np.abs(np.fft.rfft(lynx - lynx.mean()))
    assert 9 < len(lynx) / spectrum.argmax() < 10.5


def test_lynx_bends_once_and_the_bend_forecasts(monkeypatch, capsys):
    names, printed = run("lynx.py", monkeypatch, capsys, "--first", "100")
    assert printed.count("kink at lag") == printed.count("kink at lag 2") == 1
    table = names["split_table"](np.log10(load_lynx()))["MSE"]
    assert table["SETAR(2; 2, 2), least squares"] == pytest.approx(0.0047, abs=5e-5)
    assert table["ConvexAR(2), BIC"] == pytest.approx(0.0095, abs=5e-5)
    assert table["ConvexAR(2), BIC"] < table[["ARIMA", "network", "hybrid"]].min()


def test_sunspots_reproduce_the_published_linear_row(monkeypatch, capsys):
    names, printed = run("sunspots.py", monkeypatch, capsys)
    assert "What it means." in printed
    table = names["table"](load_sunspots()[:"1979"], "bic")
    for period in names["PERIODS"]:
        assert table.loc["AR(12)", period] == pytest.approx(table.loc["linear", period], abs=0.005)
    # without a kink it is the linear autoregression
    linear = table[table.index.str.contains("AR") & (table["kinks"] == 0)]
    for lags in (9, 12):
        rows = linear.filter(like=f"AR({lags}), square root", axis=0)[[*names["PERIODS"]]].to_numpy(
            dtype=float
        )
        np.testing.assert_allclose(rows[0], rows[1], rtol=1e-9)
