"""Set up, and run the tests.

python scripts/run_tests.py          # the default set, a few minutes
python scripts/run_tests.py --slow   # the slow set: killed runs, bad disks, long simulations, the browser
python scripts/run_tests.py -k redaction   # any option of pytest may be given instead
"""

from __future__ import annotations

import os
import sys

import bootstrap

CORES = os.cpu_count() or 1
WHOLE_SETS = {(): 3 * CORES // 2 or 1, ("--slow",): 2 * CORES}
"""More processes than cores: many tests wait for the commands that they have started, in the slow set most of them."""

if __name__ == "__main__":
    given = sys.argv[1:]
    processes = WHOLE_SETS.get(tuple(given))
    options = [*given, "--numprocesses", str(processes), "--dist", "worksteal"] if processes else given
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # every process would compile all tests anew
    command = [bootstrap.python("dev"), "-m", "pytest", *options]
    code = bootstrap.run(command)
    if not given:
        print("The slow set was left out; to run it: python scripts/run_tests.py --slow")
    sys.exit(code)
