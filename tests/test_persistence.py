"""A saved model comes back as it was, and a file that is not a saved model comes back as an error."""

import copy
import hashlib
import io
import json
import os
import pickle
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import ARCHITECTURES, most_inputs

from cvxar import ConvexAR, QuantileAR, losses, transforms
from cvxar.architectures import TwoLayer
from cvxar.container import VERSION, read_container, write_container
from cvxar.datasets import load_bitcoin, load_lynx, load_sunspots
from cvxar.errors import CvxarError, InputError, ModelFileError, NotFittedError


def noisy(n, index=None, name="y"):
    rng = np.random.default_rng(5)
    values = 10 + np.cumsum(rng.normal(size=n)) * 0.3 + rng.normal(size=n)
    return pd.Series(values, index=index, name=name)


def reloaded(model, tmp_path):
    model.save(tmp_path / "model")
    return ConvexAR.load(tmp_path / "model")


def assert_same_model(model, other):
    """Equal to the last bit in all that forecasts depend on."""
    assert repr(other) == repr(model)
    for name in ("params_", "fittedvalues_", "resid_"):
        pd.testing.assert_series_equal(getattr(other, name), getattr(model, name), check_exact=True)
    for name in ("beta_", "beta_max_", "nobs_", "breakpoints_"):
        assert getattr(other, name) == getattr(model, name)
    for name in ("llf_", "aic_", "bic_", "hqic_"):  # with the certificate, these are computed again
        assert getattr(other, name) == pytest.approx(getattr(model, name), rel=1e-12)
    assert (other.path_ is None) == (model.path_ is None)
    if model.path_ is not None:
        pd.testing.assert_frame_equal(other.path_, model.path_, check_exact=True)
    assert str(other.summary().tables[1]) == str(model.summary().tables[1])
    assert other.certificate_.primal == pytest.approx(model.certificate_.primal, rel=1e-12)
    assert other.certificate_.holds(max(1e-12, 2 * model.certificate_.relative_gap))
    future = {"exog": np.ones((4, 1))} if model._results.predictor.known.exog_names else {}
    table = model.forecast(4, level=(50, 95), rng=7, **future)
    pd.testing.assert_frame_equal(other.forecast(4, level=(50, 95), rng=7, **future), table, check_exact=True)
    assert getattr(other._results.predictor.known.index, "freq", None) == getattr(
        model._results.predictor.known.index, "freq", None
    )


CROSSED = [(architecture, "squared") for architecture in ARCHITECTURES]
CROSSED += [
    (TwoLayer(name), loss) for name in ("relu", "sign") for loss in losses.BY_NAME if loss != "squared"
]


@pytest.mark.parametrize(("architecture", "loss"), CROSSED, ids=str)
def test_every_architecture_and_loss_comes_back(architecture, loss, tmp_path):
    series = noisy(min(most_inputs(architecture), 20) + 2)
    model = ConvexAR(2, architecture=architecture, loss=loss, beta_ratio=0.1, tol=1e-6).fit(series)
    assert_same_model(model, reloaded(model, tmp_path))


INDEXES = {
    "none": None,
    "positions": pd.RangeIndex(100, 160, 2),
    "days": pd.date_range("2024-03-01", periods=30),
    "zone": pd.date_range("2024-03-30", periods=30, freq="h", tz="Europe/Berlin", name="time"),
    "offset": pd.date_range("2024-03-30T00:00+02:00", periods=30, freq="15min"),
    "business days": pd.date_range("2024-03-30", periods=30, freq="B"),
    "quarters": pd.period_range("1990Q1", periods=30, freq="Q-NOV"),
    "seconds": pd.date_range("2024-03-30", periods=30, freq="s").as_unit("s"),
    "durations": pd.timedelta_range("1h", periods=30, freq="h"),
    "irregular": pd.DatetimeIndex(pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(30) ** 2, "h")),
    "years": pd.Index(range(1900, 1930), dtype="int32"),
    "floats": pd.Index(np.arange(30) ** 1.5),
    "names": pd.Index([f"t{i:02d}" for i in range(30)]),
}


@pytest.mark.parametrize("name", ["y", None, 3])
@pytest.mark.parametrize("kind", INDEXES)
def test_every_index_comes_back(kind, name, tmp_path):
    model = ConvexAR(1, beta_ratio=0.1).fit(noisy(30, INDEXES[kind], name))
    assert_same_model(model, reloaded(model, tmp_path))


@pytest.mark.parametrize(
    ("options", "series"),
    [
        ({"lags": [3, 1], "beta": "hqic", "trend": "n", "extrapolation": "network"}, load_sunspots()),
        ({"lags": 2, "beta": 5000, "skip": False}, load_sunspots()),
        ({"lags": (1, 2), "beta": "aic"}, load_sunspots()),
        ({"lags": np.array([1, 7]), "beta": "bic"}, load_bitcoin()),
        ({"lags": 1, "beta": "cv1se"}, load_sunspots()),
        ({"lags": 1, "beta": 0.0}, noisy(25)),
        ({"lags": 1, "beta_ratio": 1.0}, np.full(9, 4.0)),
        ({"lags": 1, "beta_ratio": 0.01}, noisy(20_000)),
    ],
    ids=["hqic", "no skip", "tuple", "bic", "cross-validation", "least norm", "constant", "lazily sorted"],
)
def test_every_choice_of_penalty_comes_back(options, series, tmp_path):
    model = ConvexAR(**options).fit(series)
    other = reloaded(model, tmp_path)
    model.lags = model.lags.tolist() if isinstance(model.lags, np.ndarray) else model.lags
    assert_same_model(model, other)


FORMS = [
    *({"transform": name} for name in transforms.CATALOGUE),
    {"transform": transforms.BoxCox(0.5), "extrapolation": "network"},
    {"transform": transforms.Difference(transforms.Sqrt())},
    {"trend": "ctt", "seasonal": True, "period": 4},
    {"trend": "n", "seasonal": True},
    {"lags": 3, "nonlinear_lags": [2], "hold_back": 5},
    {"lags": 0, "trend": "ct"},
]


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_every_transform_trend_and_choice_of_lags_comes_back(form, tmp_path):
    series = noisy(60, pd.period_range("2001-01", periods=60, freq="M"))
    series.iloc[[20, 21]] = np.nan
    model = ConvexAR(**{"lags": 2, "beta_ratio": 0.05, **form}).fit(series.iloc[:50]).append(series.iloc[50:])
    assert_same_model(model, reloaded(model, tmp_path))


@pytest.mark.parametrize("kind", INDEXES)
def test_a_model_that_learned_of_more_observations_comes_back(kind, tmp_path):
    series, exog = noisy(30, INDEXES[kind]), pd.DataFrame({"wind": np.sin(np.arange(30))})
    exog.index = series.index
    model = ConvexAR([1, 3], beta_ratio=0.1).fit(series.iloc[:24], exog.iloc[:24])
    model = model.append(series.iloc[24:25], exog=exog.iloc[24:25]).append(
        series.iloc[25:], exog=exog.iloc[25:]
    )
    other = reloaded(model, tmp_path)
    assert_same_model(model, other)
    assert_same_model(other, reloaded(other, tmp_path))
    refitted = (m.append([9.0], refit=True, exog=[0.5]) for m in (model, other) if kind != "irregular")
    if kind not in ("irregular", "floats", "names"):
        assert_same_model(*refitted)


def test_a_model_is_saved_as_it_was_fitted_whatever_is_set_afterwards(tmp_path):
    lags = [1, 3]
    model = ConvexAR(lags, beta_ratio=0.1).fit(noisy(30))
    lags.append(2)
    model.set_params(trend="n", beta_ratio=None, beta="aic")
    other = reloaded(model, tmp_path)
    assert repr(other) == "ConvexAR(lags=[1, 3], beta_ratio=0.1)"
    pd.testing.assert_frame_equal(other.forecast(3, rng=0), model.forecast(3, rng=0), check_exact=True)


def test_quantiles_come_back_and_kinds_of_model_are_not_mixed_up(tmp_path):
    series = noisy(40, pd.date_range("2024-01-01", periods=40))
    model = QuantileAR((0.1, 0.5, 0.9), 2, beta_ratio=0.2).fit(series.iloc[:38]).append(series.iloc[38:])
    model.save(tmp_path / "quantiles")
    other = QuantileAR.load(tmp_path / "quantiles")
    assert repr(other) == repr(model)
    assert other.crossings_ == model.crossings_
    pd.testing.assert_frame_equal(other.fittedvalues_, model.fittedvalues_, check_exact=True)
    found, expected = (m.forecast(5, level=80, rng=3) for m in (other, model))
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    with pytest.raises(ModelFileError, match=r"holds a QuantileAR; read it with QuantileAR\.load"):
        ConvexAR.load(tmp_path / "quantiles")
    tree, body = opened((tmp_path / "quantiles").read_bytes())
    twice = json.loads(tree)
    twice["models"][2]["arguments"]["loss"]["tau"] = 0.5
    (tmp_path / "twice").write_bytes(sealed(json.dumps(twice).encode(), body))
    with pytest.raises(ModelFileError, match="not several quantiles"):
        QuantileAR.load(tmp_path / "twice")


def by_joblib(model):
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    return joblib.load(file)


@pytest.mark.parametrize(
    "way", [lambda m: pickle.loads(pickle.dumps(m)), copy.copy, copy.deepcopy, by_joblib], ids=str
)
@pytest.mark.parametrize("architecture", ["relu", "deep_relu", "symmetrized_relu", "tree_sign"])
def test_models_can_be_pickled_copied_and_dumped(architecture, way):
    model = ConvexAR(2, architecture=architecture, beta_ratio=0.1, tol=1e-6).fit(noisy(20))
    assert_same_model(model, way(model))


def test_models_of_lazily_sorted_data_can_be_pickled():
    model = ConvexAR(1, beta_ratio=0.1).fit(np.cumsum(np.random.default_rng(0).normal(size=20_000)))
    again = pickle.loads(pickle.dumps(model))
    pd.testing.assert_frame_equal(again.forecast(3, level=80, rng=0), model.forecast(3, level=80, rng=0))
    assert again.append([1.0], refit=True).certificate_.holds(1e-8)


def test_what_cannot_be_saved_is_refused_and_the_old_file_stays(tmp_path):
    class Own(TwoLayer):
        pass

    class Cube:
        def apply(self, values):
            return np.cbrt(values)

        def invert(self, values):
            return values**3

    fitted = ConvexAR(1, beta_ratio=0.1).fit(noisy(30))
    fitted.save(tmp_path / "model")
    before = (tmp_path / "model").read_bytes()
    with pytest.raises(NotFittedError):
        ConvexAR().save(tmp_path / "model")
    with pytest.raises(InputError, match=r"architecture=.*Own.* cannot be saved"):
        ConvexAR(1, architecture=Own("relu"), beta_ratio=0.1).fit(noisy(30)).save(tmp_path / "model")
    with pytest.raises(InputError, match=r"transform=.*Cube.* cannot be saved"):
        ConvexAR(1, transform=Cube(), beta_ratio=0.1).fit(noisy(30)).save(tmp_path / "model")
    with pytest.raises(InputError, match="index of type IntervalIndex"):
        fitted.fit(noisy(30, pd.interval_range(0, 30))).save(tmp_path / "model")
    with pytest.raises(InputError, match="rename it"):
        fitted.fit(noisy(30, name=("a", "b"))).save(tmp_path / "model")
    with pytest.raises(InputError, match="rename it"):
        fitted.fit(noisy(30, name=float("nan"))).save(tmp_path / "model")
    with pytest.raises(InputError, match="cannot write"):
        fitted.fit(noisy(30)).save(tmp_path / "no" / "model")
    assert os.listdir(tmp_path) == ["model"]
    assert (tmp_path / "model").read_bytes() == before


# --- files that are not, or no longer, what save() wrote ---


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A file with everything in it."""
    path = tmp_path_factory.mktemp("models") / "model"
    series = noisy(40, pd.date_range("2024-01-01", periods=40, tz="Europe/Berlin"))
    exog = pd.DataFrame({"wind": np.sin(np.arange(40))}, index=series.index)
    model = ConvexAR(2, architecture="deep_relu", tol=1e-6, beta="aic").fit(series.iloc[:38], exog.iloc[:38])
    model.append(series.iloc[38:], exog=exog.iloc[38:]).save(path)
    return path


def sealed(header, body, version=VERSION):
    """A file with the right sizes and checksum for any contents."""
    start = b"cvxar %d %d %d" % (version, len(header), len(body))
    digest = hashlib.sha256(start + header + body).hexdigest().encode()
    return start + b" " + digest + b"\n" + header + body


def opened(data):
    line = data.index(b"\n") + 1
    size = int(data[:line].split()[2])
    return data[line : line + size], data[line + size :]


def load_bytes(path, data):
    path.write_bytes(data)
    return ConvexAR.load(path)


def test_the_seal_of_these_tests_is_that_of_the_format(written):
    data = written.read_bytes()
    assert sealed(*opened(data)) == data


@settings(max_examples=200)
@given(data=st.data())
def test_any_change_to_a_file_is_noticed(written, data):
    good = written.read_bytes()
    at = data.draw(st.one_of(st.integers(0, 120), st.integers(0, len(good) - 1)))
    length = data.draw(st.sampled_from([1, 1, 8, len(good)]))
    other = data.draw(st.binary(max_size=9))
    bad = good[:at] + other + good[at + length :]
    if bad != good:
        with pytest.raises(ModelFileError):
            load_bytes(written.with_name("bad"), bad)


FOREIGN = {
    "empty": b"",
    "text": b"year,trappings\n1821,269\n",
    "pickle": pickle.dumps(ConvexAR()),
    "zip": b"PK\x03\x04" + bytes(400),
    "no digest": b"cvxar 1 2 0\n{}",
    "another digest": b"cvxar 1 2 0 0\n{}",
    "no numbers": b"cvxar one 2 0 0\n{}",
    "long numbers": b"cvxar 1 %s 0 0\n{}" % (b"9" * 100),
    "huge sizes": b"cvxar 1 999999999999999999 999999999999999999 0\n{}",
    "no object": sealed(b"[]", b""),
    "no JSON": sealed(b"{", b""),
    "not UTF-8": sealed(b'"\xff\xfe"', b""),
    "nested": sealed(b"[" * 100_000, b""),
    "long integer": sealed(b"9" * 10_000, b""),
    "another kind": sealed(b'{"what":"cake"}', b""),
    "huge array": sealed(b'{"what":{"$array":["f8",4294967296,4294967296]}}', b""),
    "negative array": sealed(b'{"what":{"$array":["f8",-1]}}', b""),
    "unknown array": sealed(b'{"what":{"$array":["O",1]}}', bytes(8)),
    "array of many dimensions": sealed(b'{"what":{"$array":["f8"%s]}}' % (b",0" * 99), b""),
    "bytes too many": sealed(b'{"what":"ConvexAR"}', bytes(8)),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_foreign_files_are_refused(kind, tmp_path):
    with pytest.raises(ModelFileError, match=r"was not written by cvxar|is damaged"):
        load_bytes(tmp_path / "file", FOREIGN[kind])


PIECES = {
    "another slope beyond the last point": ("inclines", -1, 1e6),
    "another slope before the first point": ("inclines", 0, -1e6),
    "no number before the first point": ("inclines", 0, np.nan),
    "an infinite slope": ("inclines", 0, np.inf),
    "a jump": ("levels", 1, 1e-4),
}


@pytest.mark.parametrize("kind", PIECES)
def test_pieces_that_are_not_those_of_the_units_are_refused(kind, tmp_path):
    """They make forecasts and the certificate: its objective was once below the optimum."""
    path, (name, at, by) = tmp_path / "model", PIECES[kind]
    ConvexAR(1, beta_ratio=0.1).fit(noisy(60)).save(path)
    tree = read_container(path)
    tree["models"][0]["solution"]["parts"][0][name][at] += by
    write_container(path, tree)
    with pytest.raises(ModelFileError, match="pieces are not those of its units"):
        ConvexAR.load(path)


def test_steep_pieces_between_close_inputs_come_back(tmp_path):
    rng = np.random.default_rng(0)
    series = rng.integers(0, 3, 60) + 1e-9 * rng.normal(size=60)
    for skip in (True, False):
        fitted = ConvexAR(1, skip=skip, beta_ratio=1e-6).fit(series)
        fitted.save(tmp_path / "model")
        again = ConvexAR.load(tmp_path / "model")
        np.testing.assert_array_equal(again.predict(), fitted.predict())


def test_no_file_a_folder_a_pipe_and_a_device_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "none", tmp_path, tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(ModelFileError, match=r"cannot read|is not a file"):
            ConvexAR.load(path)


def test_files_of_the_first_version_stay_readable():
    model = ConvexAR.load(Path(__file__).parent / "models" / "version_1.cvxar")
    assert (
        repr(model) == "ConvexAR(lags=(1, 2), architecture=TwoLayer(activation='relu', negative_slope=0.1), "
        "transform='log')"
    )
    assert model.certificate_.holds(1e-8)
    assert [round(float(np.exp(b.location))) for b in model.breakpoints_] == [687]
    found = model.forecast(3, method="iterate")["mean"]
    expected = ConvexAR((1, 2), transform="log").fit(load_lynx()).forecast(3, method="iterate")["mean"]
    pd.testing.assert_series_equal(found, expected, rtol=1e-8)


def test_a_later_version_is_refused_by_name(written):
    later = sealed(*opened(written.read_bytes()), version=VERSION + 1)
    with pytest.raises(ModelFileError, match="upgrade cvxar"):
        load_bytes(written.with_name("later"), later)


def places(tree, path=()):
    """Every place in a tree, as a path of keys."""
    yield path
    children = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, child in children:
        yield from places(child, (*path, key))


def changed(tree, path, value):
    if not path:
        return value
    tree = copy.copy(tree)
    tree[path[0]] = changed(tree[path[0]], path[1:], value)
    return tree


HOSTILE = [
    None,
    True,
    -1,
    0,
    1,
    2,
    3,
    10**30,
    1e308,
    -0.5,
    float("nan"),
    float("inf"),
    "",
    "c",
    "../../etc/passwd",
]
HOSTILE += ["dateutil//etc/passwd", "Difference", "1000000D", [], [[]], [1, 2, 3], {}, {"$array": ["f8", 0]}]
HOSTILE += [{"class": "object"}, {"class": "TwoLayer", "activation": "os.system"}]
HOSTILE += [{"class": "DeepNarrow", "activation": "relu", "depth": 10**9}]
HOSTILE += [{"class": "Parallel", "activation": "sign", "widths": [10**9]}]


@settings(max_examples=200)
@given(data=st.data())
def test_a_hostile_header_is_an_error_or_a_model(written, data):
    """Contents changed and sealed again: what is loaded can be used, or says what is wrong."""
    header, body = opened(written.read_bytes())
    tree = json.loads(header)
    path = data.draw(st.sampled_from(list(places(tree))))
    tree = changed(tree, path, data.draw(st.sampled_from(HOSTILE)))
    bad = sealed(json.dumps(tree).encode(), body)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = load_bytes(written.with_name("hostile"), bad)
        except ModelFileError:
            return
        try:
            model.forecast(2, exog=np.ones((2, 1)), level=80, rng=0)
            model.summary()
        except CvxarError:
            return
        model.save(written.with_name("again"))
    assert np.isfinite(model.certificate_.primal)
