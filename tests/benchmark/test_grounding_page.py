"""What docs/grounding.md says can be typed, and its example runs."""

import os
import re
import subprocess
import sys
from pathlib import Path

from visavis.benchmark.grounding import GroundingTable

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "grounding.md").read_text("utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)


def test_the_python_blocks_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks("python"):
        exec(compile(block, "grounding.md", "exec"), names)
    assert GroundingTable.load("grounding.json").measures == names["table"].measures
    assert names["table"].passed["cka"] == {
        "components deleted": True,
        "seeds against layers": True,
        "layer monotonicity": True,
        "shortcut": True,
        "output correlation": True,
    }


def test_the_commands_run_and_name_every_test(tmp_path):
    [full, quick] = "".join(blocks("sh")).splitlines()
    assert quick == f"{full.replace('grounding-runs', 'grounding-quick')} --quick"
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env = os.environ | {"PATH": path, "OMP_NUM_THREADS": "1"}
    run = subprocess.run(
        quick, shell=True, cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr[-3000:]
    table = GroundingTable.load(tmp_path / "grounding-quick" / "grounding.json")
    assert run.stdout.endswith(f"{table}\n")
    for test in table.tests:
        assert test.test in PAGE
        assert {score.reason for score in test.scores if score.measure == "cka"} == {""}
    for measure in table.measures:
        assert f"\n{measure} " in PAGE
