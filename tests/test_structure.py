"""The shape of the package: imports point one way, functions stay small, one file knows each backend."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "cvxar"
FILES = sorted(PACKAGE.rglob("*.py"))
BACKENDS = {
    "osqp": {"master.py"},
    "yfinance": {"yahoo.py"},
    "matplotlib": {"figures.py", "svg.py"},
    "torch": {"torch_module.py"},
    "onnx": {"onnx_graph.py"},
    "duckdb": {"streams.py"},
    "polars": {"streams.py"},
    "dask": {"streams.py"},
}


def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def module_of(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path):
    """Every module a file imports, wherever the statement stands."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_imports_form_no_cycle():
    """Including imports hidden inside functions. A package may import its own parts."""
    modules = {module_of(path): path for path in FILES if module_of(path) not in {"cvxar", "cvxar.__main__"}}
    graph = {
        name: {m for m in imported(path) if m in modules and m != name and not name.startswith(m + ".")}
        for name, path in modules.items()
    }
    done, open_ = set(), []

    def visit(name):
        assert name not in open_, f"import cycle: {' -> '.join([*open_, name])}"
        if name in done:
            return
        open_.append(name)
        for other in sorted(graph[name]):
            visit(other)
        open_.pop()
        done.add(name)

    for name in graph:
        visit(name)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_modules_and_functions_stay_small(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            if body:
                assert body[-1].end_lineno - body[0].lineno + 1 <= 40, f"{node.name} is too long"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_public_names_are_documented_and_no_import_is_hidden_from_readers(path):
    top = tree(path).body
    inside = [part for node in top if isinstance(node, ast.ClassDef) for part in node.body]
    for node in [*top, *inside]:
        public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        overload = any(getattr(d, "id", "") == "overload" for d in getattr(node, "decorator_list", []))
        if public and not overload:
            assert ast.get_docstring(node), f"{path.name}: {node.name} has no docstring"
    assert not any(isinstance(n, ast.Name) and n.id == "TYPE_CHECKING" for n in ast.walk(tree(path)))


@pytest.mark.parametrize("backend", BACKENDS)
def test_one_file_knows_each_backend(backend):
    users = {path.name for path in FILES for m in imported(path) if m and m.split(".")[0] == backend}
    assert users <= BACKENDS[backend]


def test_importing_the_package_loads_no_heavy_module():
    code = (
        "import sys, cvxar; heavy = {'sklearn', 'statsmodels', 'matplotlib', 'yfinance', 'cvxpy'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
