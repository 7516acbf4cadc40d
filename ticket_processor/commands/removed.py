"""Commands and options of earlier versions, with what to use instead; whoever still types one reads it."""

from __future__ import annotations

from collections.abc import Mapping

REMOVED: Mapping[str, str] = {
    "run --backfill": "a dry run keeps what it would write with --out FILE, and 'ticketbot apply FILE' writes it",
    "run --as-new": "'ticketbot run --dry-run --out FILE' keeps whole decisions",
    "apply --dry-run": "the file is what a dry run has planned, in lines of JSON",
    "apply --details": "the file is what a dry run has planned, in lines of JSON",
    "seed --mood": "each category and language gets tickets in every mood",
    "seed --save": "--out FILE writes the rows, and 'ticketbot seed --file FILE' puts them into the account",
    "seed --save-only": "--out FILE leaves the helpdesk alone",
    "seed --workers": "run.workers says how many requests go at the same time",
    "apply --limit": "take the first lines of the file, such as with 'head -n 100'",
}
"""By the command's path without ``ticketbot``, such as ``kb doctor`` or, for an option, ``run --limit``."""
