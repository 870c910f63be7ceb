"""Bring the counts of docs/calibration.json to the wanted number of repetitions.

``python -m bench.calibration`` goes on where the last run stopped; ``python docs/calibration.py``
then writes the page. ``--cells interval.*n=30`` takes the studies whose name matches,
``--repetitions 50`` another number of them, ``--into other.json`` another file.
"""

import argparse
import re
from pathlib import Path

from bench.calibration import coverage, sizes, study

KEPT = Path(__file__).parents[2] / "docs" / "calibration.json"


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.calibration")
    parser.add_argument("--cells", default="", metavar="REGEX", help="which studies, by name")
    parser.add_argument("--repetitions", type=int, help="of each, in place of its own number")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after these")
    parser.add_argument("--into", type=Path, default=KEPT, metavar="FILE.json")
    asked = parser.parse_args()
    every = (*sizes.studies(), *coverage.studies())
    chosen = [each for each in every if re.search(asked.cells, each.name)]
    study.run(chosen, asked.into, repetitions=asked.repetitions, minutes=asked.minutes)


if __name__ == "__main__":
    main()
