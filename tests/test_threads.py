"""One thread inside, what was before outside, for libraries loaded late too."""

import sys
import types

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from cvxar import threads
from cvxar.threads import one_thread


def counts(kind):
    return {pool["num_threads"] for pool in threadpool_info() if kind in (None, pool["user_api"])}


@pytest.mark.parametrize("kind", [None, "blas"])
def test_threads_are_limited_and_given_back(kind):
    with threadpool_limits(2):
        before = counts(None)
        assert 2 in before
        for _ in range(2):
            with one_thread(kind):
                assert counts(kind) == {1}
            assert counts(None) == before


def test_libraries_are_looked_for_again_after_an_import(monkeypatch):
    first = threads._pools(len(sys.modules))
    assert threads._pools(len(sys.modules)) is first
    monkeypatch.setitem(sys.modules, "a_module_with_threads", types.ModuleType("a_module_with_threads"))
    assert threads._pools(len(sys.modules)) is not first
