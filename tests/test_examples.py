"""Every script in examples/ runs, says something, and writes the pictures it was asked for."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"

# script -> arguments of a run that takes seconds. Scripts run in an empty folder; every argument that
# ends in .png, .html or .csv is a file the script must write there.
ARGUMENTS = {
    "against_gradient_descent.py": "--points 60 --seeds 2 --plot a.png",
    "backtesting.py": "",
    "bitcoin_training.py": "--points 150 --steps 40 --plot a.png --csv a.csv",
    "forecast_prices.py": "--steps 3 --plot a.png --csv a.csv",
    "dictionary_sizes.py": "--inputs 10 200",
    "hourly_mirrors.py": "--points 150 --ratios 0.3 0.1",
    "interval_coverage.py": "--test 20 --points 400 --window 200",
    "lynx.py": "--first 100",
    "null_safety.py": "--quick",
    "out_of_core.py": "--rows 300000 --chunk 70000",
    "quantile_bands.py": "--points 500 --window 250 --refit 100",
    "reflections.py": "--seeds 2 --steps 50 --plot a.png",
    "sign_networks.py": "--points 40 --plot a.png",
    "solution_path.py": "--betas 10 --plot a.png",
    "stagnation.py": "--points 16 --plot a.png",
    "sunspots.py": "",
    "ten_steps.py": "--replications 2 --points 300 --origins 3 --paths 100",
    "toy_sets.py": "--plot a.png",
}
# script -> modules of extras without which it cannot run
NEEDS: dict[str, list[str]] = {}
WRITTEN = (".png", ".html", ".csv")


def test_every_script_is_listed():
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(ARGUMENTS)


def cells_of(script):
    """Cells of a script in percent format: (kind, text), as a notebook has them."""
    parts = re.split(r"^# %%( \[markdown\])?\n", script.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    for markdown, text in zip(parts[::2], parts[1::2], strict=True):
        lines = [re.sub("^# ?", "", line) if markdown else line for line in text.strip().splitlines()]
        yield "markdown" if markdown else "code", "\n".join(lines)


@pytest.mark.parametrize("notebook", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda path: path.name)
def test_a_notebook_is_its_script_executed(notebook):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    shown = [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    assert shown == list(cells_of(notebook.with_suffix(".py")))
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell["outputs"]]
    assert {output["output_type"] for output in outputs} <= {"stream", "display_data", "execute_result"}
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert not any(output.get("name") == "stderr" for output in outputs)


@pytest.mark.parametrize("script", ARGUMENTS)
def test_a_script_runs(script, tmp_path):
    for module in NEEDS.get(script, []):
        pytest.importorskip(module)
    arguments = ARGUMENTS[script].split()
    environment = os.environ | {"MPLBACKEND": "agg", "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    run = subprocess.run(
        [sys.executable, str(EXAMPLES / script), *arguments],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip()
    wanted = {argument for argument in arguments if argument.endswith(WRITTEN)}
    assert {path.name for path in tmp_path.iterdir()} == wanted
    assert all((tmp_path / name).stat().st_size for name in wanted)
