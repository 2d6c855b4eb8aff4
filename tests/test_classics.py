"""The classic series: the examples reproduce what is known of them."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from cvxar.datasets import load_lynx, load_sunspots

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def names_of(script):
    return runpy.run_path(str(EXAMPLES / script))


def test_bundled_lynx_show_their_cycle_of_ten_years():
    lynx = np.log10(load_lynx())
    assert (str(lynx.index[0]), str(lynx.index[-1]), len(lynx)) == ("1821", "1934", 114)
    spectrum = np.abs(np.fft.rfft(lynx - lynx.mean()))
    assert 9 < len(lynx) / spectrum.argmax() < 10.5


def test_lynx_bends_once_and_the_bend_forecasts(capsys):
    lynx, names = np.log10(load_lynx()), names_of("lynx.py")
    names["show_fit"](lynx)
    printed = capsys.readouterr().out
    assert printed.count("kink at lag") == printed.count("kink at lag 2") == 1
    table = names["split_table"](lynx)["MSE"]
    assert table["SETAR(2; 2, 2), least squares"] == pytest.approx(0.0047, abs=5e-5)
    assert table["ConvexAR(2), BIC"] == pytest.approx(0.0095, abs=5e-5)
    assert table["ConvexAR(2), BIC"] < table[["ARIMA", "network", "hybrid"]].min()


def test_sunspots_reproduce_the_published_linear_row():
    names = names_of("sunspots.py")
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
