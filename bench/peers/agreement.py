"""Compare visavis with its peers and write docs/peers.md; run with ``make peers``."""

import sys

from bench.peers.cases import run

def main():
    import importlib
    only = sys.argv[1:]
    for family in only:
        for case in importlib.import_module(f"bench.peers.{family}").cases():
            for d in case.data:
                f = run(case, d)
                print(("ok " if not f.complaint else "BAD"), case.measure, case.peer, case.call, d, f.ours, f.theirs, f"{f.apart:.1e}", f.complaint)
main()
