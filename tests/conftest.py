"""Fixtures and strategies shared by the tests."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

SHARED = Path(__file__).resolve().parents[2] / "shared"

settings.register_profile(
    "cvxar", deadline=None, derandomize=True, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("cvxar")


def shared_file(name: str) -> Path:
    """Path of a file kept beside the project, or a skip with the reason."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{name} is not beside this checkout")
    return path


@pytest.fixture(scope="session")
def hourly() -> np.ndarray:
    """Hourly Bitcoin closes, 33,259 of them."""
    import pandas as pd

    return pd.read_csv(shared_file("data/btc_hourly_2018_2022.csv.gz"))["close"].to_numpy()


def golden_cases() -> list[dict]:
    """All problems with optima known to 12 digits, or none where the file is missing."""
    path = SHARED / "golden.json"
    return json.loads(path.read_text())["cases"] if path.exists() else []
