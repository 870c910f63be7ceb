"""The faults that `make faults` plants: each still has its place in the code, once."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FAULTS = runpy.run_path(str(ROOT / "scripts" / "planted_faults.py"), run_name="faults")["FAULTS"]


@pytest.mark.parametrize("fault", FAULTS, ids=[each.what for each in FAULTS])
def test_the_place_of_a_fault(fault):
    code = (ROOT / "src" / "visavis" / fault.file).read_text("utf-8")
    assert code.count(fault.right) == 1
    assert fault.wrong != fault.right
    for path in fault.tests.split():
        assert (ROOT / path.partition("::")[0]).exists()
