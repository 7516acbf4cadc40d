"""What the scripts that play stories start from: the project on the path, and the packages that its tests need.

Imported first, for its effect. Ends the process with a sentence where a package is missing.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED = ("hypothesis", "pytest", "streamlit")

sys.path.insert(0, str(ROOT))
if any(importlib.util.find_spec(name) is None for name in NEEDED):
    sys.exit(
        f"{Path(sys.argv[0]).name} needs the development packages: 'python scripts/run_tests.py' installs them into "
        ".venv; start it with that environment's python then"
    )
