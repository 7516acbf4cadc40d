"""Set up, and run the main job against the embedded sandbox: no account, no key.

python scripts/tour.py            # any option of "ticketbot run" may follow, such as --dry-run or --no-llm
"""

from __future__ import annotations

import sys

import bootstrap

if __name__ == "__main__":
    sys.exit(bootstrap.run([bootstrap.python(), "-m", "ticket_processor", "run", "--sandbox", *sys.argv[1:]]))
