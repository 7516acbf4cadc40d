"""Set up, and run the tests.

python scripts/run_tests.py       # any option of pytest may follow, such as -k redaction
"""

from __future__ import annotations

import sys

import bootstrap

if __name__ == "__main__":
    options = sys.argv[1:] or ["--numprocesses", "auto", "--dist", "worksteal"]
    sys.exit(bootstrap.run([bootstrap.python("dev"), "-m", "pytest", *options]))
