"""Compare visavis with its peers and write docs/peers.md; run with ``make peers``.

``python -m bench.peers.agreement kernel linear`` compares these families alone and writes nothing.
"""

import importlib
import sys
import time

from bench.peers.cases import run
from bench.peers.report import write

FAMILIES = ("kernel", "linear", "rsa", "neighbour", "other")


def main() -> int:
    """Return 1 if anything came out otherwise than it is expected."""
    findings = []
    for family in sys.argv[1:] or FAMILIES:
        start = time.perf_counter()
        cases = importlib.import_module(f"bench.peers.{family}_cases").cases()
        found = [run(case, data) for case in cases for data in case.data]
        findings += found
        print(
            f"{family}: {len(found)} comparisons, {time.perf_counter() - start:.0f} s", flush=True
        )
    wrong = [each for each in findings if each.complaint]
    for each in wrong:
        print(
            f"{each.case.measure} / {each.case.peer} {each.case.call} / {each.data}: "
            f"{each.ours} and {each.theirs}: {each.complaint}"
        )
    if not sys.argv[1:]:
        print(f"written: {write(findings)}")
    print(f"{len(findings) - len(wrong)} as expected, {len(wrong)} not")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
