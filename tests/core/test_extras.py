"""Optional dependencies: the module, or how to install it."""

import json
import json.decoder
import sys

import pytest

from visavis._core.extras import require


def test_what_is_installed_is_imported():
    assert require("json", extra="tables", purpose="a test") is json
    assert require("json.decoder", extra="tables", purpose="a test") is json.decoder


@pytest.mark.parametrize("module", ["not_there_at_all", "not_there_at_all.part"])
def test_what_is_missing_is_named_with_the_command_that_installs_it(module):
    message = (
        rf"^Comparison\.to_frame needs {module}, which is not installed\. "
        r'Install it with: pip install "visavis\[tables\]"\.$'
    )
    with pytest.raises(ImportError, match=message):
        require(module, extra="tables", purpose="Comparison.to_frame")


def test_what_is_blocked_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"needs pandas.*visavis\[tables\]"):
        require("pandas", extra="tables", purpose="Comparison.to_frame")


def test_a_missing_dependency_of_the_module_is_not_taken_for_the_module(tmp_path, monkeypatch):
    (tmp_path / "broken_extra.py").write_text("import not_there_at_all\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="not_there_at_all") as caught:
        require("broken_extra", extra="tables", purpose="a test")
    assert "visavis[tables]" not in str(caught.value)
