# SPDX-License-Identifier: GPL-3.0-or-later
"""``PYTHONPATH=src python -m tests.faults --runs 200``: random runs of settle among dying processes (as root).

``PYTHONPATH=src python -m tests.faults --real --faults 200``: one long run on the running example facility
(make facility), with real SMB and the real OMERO.dropbox.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import sys
import time
from pathlib import Path

from tests.faults.run import Outcome, run


def main() -> int:
    """Run; print what is wrong with the seed that shows it again; return 1 if anything is."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1, help="the first run's; the others follow")
    parser.add_argument("--parallel", type=int, default=6)
    parser.add_argument("--keep", action="store_true", help="keep the folders of bad runs")
    parser.add_argument("--real", action="store_true", help="on the running example facility")
    parser.add_argument("--faults", type=int, default=200, help="with --real: how many things die")
    parser.add_argument("--gap", type=float, default=2.0, help="with --real: at most so many seconds between two")
    options = parser.parse_args()
    if options.real:
        # Needs the test bed; the runs don't.
        from tests.faults import campaign

        wrong = campaign.run(options.faults, options.seed, options.gap, Path("build/faults"), print)
        print(*wrong, f"{len(wrong)} files or sets ended other than promised", sep="\n")
        return 1 if wrong else 0
    began = time.monotonic()
    bad = 0
    total = Outcome()
    with concurrent.futures.ProcessPoolExecutor(options.parallel) as pool:
        seeds = range(options.seed, options.seed + options.runs)
        for seed, outcome in zip(seeds, pool.map(run, seeds, [options.keep] * options.runs), strict=True):
            total = total + outcome
            if outcome.problems:
                bad += 1
                print(f"seed {seed}:", *outcome.problems, sep="\n    ", flush=True)
    print(
        f"{options.runs} runs in {time.monotonic() - began:.0f} s, {bad} bad: {total.files} files written, "
        f"{total.imported} imported, {total.aside} put aside, {total.waiting} waiting; "
        f"killed: settle {total.kills['settle']}, importer {total.kills['importer']}, writers {total.kills['writer']}"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
