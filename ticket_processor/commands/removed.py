"""Commands and options of earlier versions, with what to use instead; whoever still types one reads it."""

from __future__ import annotations

from collections.abc import Mapping

_VERBOSE = (
    "analyse", "seed", "retry run", "undo", "apply", "report", "eval", "learn collect", "learn pin", "train", "kb sync",
    "health",
)  # fmt: skip
REMOVED: Mapping[str, str] = {
    **{f"{name} --verbose": "TICKETBOT_LOG_LEVEL=debug does so for every command" for name in _VERBOSE},
    **{
        f"{name} --quiet": "redirect standard output; what went wrong is on standard error"
        for name in ("undo", "apply", "worker")
    },
    **{f"{name} --quiet": "redirect standard error, which its lines go to" for name in ("serve", "portal")},
    "taxonomy": "'ticketbot doctor' checks the categories, which stand in ticketbot.toml",
    "escalated": "'ticketbot report --escalated' lists what is escalated and still open",
    "alerts list": "'ticketbot alerts' prints the open alerts",
    "alerts test": "'ticketbot alerts --test' sends the test messages",
    "learn unpin": "'ticketbot learn undo ID' takes a pin back; 'ticketbot learn log' has its ID",
    "audit cat": "'ticketbot audit show DAY' prints the lines of a day, and without a day all of them",
    "run --helpdesk": "the setting helpdesk, or TICKETBOT_HELPDESK, says which one",
    "run --verify": "a run reads 20 of its writes back",
    "sandbox --seed": "faults and latencies are the same each time",
    "retry drop --json": "'ticketbot retry list --json' prints what is left",
    "report --gaps": "'ticketbot report --knowledge --out FILE.md' writes the topics without an article",
    "report --at-least": "a topic has at least five tickets",
    "report --within": "the helpdesk is asked for at most five minutes; --limit says how many tickets are read",
    "eval --workers": "run.workers says how many requests go at the same time",
    **{
        f"{name} --include-ours": "after 'ticketbot learn collect' tickets count whose labels people kept or changed"
        for name in ("eval", "train")
    },
    "train --force": "a classifier that would do worse is not stored; 'ticketbot learn undo' takes corrections back",
    "train --out": "--json prints the scores",
    "learn collect --since": "it goes on where it ended, and --limit says how many histories are read",
    "learn collect --within": "it ends after an hour, and goes on from there; --limit says how many histories are read",
    "learn show --since": "'ticketbot report --since WHEN --details' shows the labels of a period",
    "learn review --field": "all fields are shown, each group in a line",
    **{
        f"learn {name} --json": "'ticketbot learn log --json' prints what was decided and learnt"
        for name in ("approve", "reject", "undo", "pin")
    },
    "learn pin --at-most": "without --at-least the value is the right one",
    "learn pins --out": "'ticketbot learn pins --json' prints them",
    "kb sync --whole": "every sync notices deleted articles",
    "kb sync --within": "it ends after an hour, and goes on from there",
    "kb search --lang": "articles of every language are searched",
    "schedule install --json": "'ticketbot schedule show --json' prints what install hands over",
    "schedule remove --json": "what was removed is printed line by line",
    "kb search --limit": "the five best passages are shown",
    "kb eval --corpus": "'knowledge.folders' names a folder with the articles",
    "kb eval --out": "--json prints the scores, and each question's ranking",
    "init --force": "delete the file that is to be written again",
    "serve --dry-run": "'ticketbot serve install-webhook' without --url prints the steps, and creates nothing",
    "probe": "runs find out by reading back whether jobs of many updates may be used",
    **{
        f"run {option}": "OpenAI's batches are no longer used; models are asked one ticket at a time"
        for option in ("--batch-api", "--wait", "--cancel-batches")
    },
    **{
        f"schedule {name} --image": "deploy/kubernetes holds the manifests for a cluster"
        for name in ("install", "show", "remove")
    },
    "learn thresholds": "'ticketbot eval --from-helpdesk' proposes thresholds, by what people chose on solved tickets",
    "learn confusions": "'ticketbot eval --from-helpdesk' prints the confusion matrix",
    "learn doubts": "'ticketbot eval' lists labels that look wrong",
    "run --backfill": "a dry run keeps what it would write with --out FILE, and 'ticketbot apply FILE' writes it",
    "run --as-new": "'ticketbot run --dry-run --out FILE' keeps whole decisions",
    "apply --dry-run": "the file is what a dry run has planned, in lines of JSON",
    "apply --details": "the file is what a dry run has planned, in lines of JSON",
    "seed --mood": "each category and language gets tickets in every mood",
    "seed --save": "--out FILE writes the rows, and 'ticketbot seed --file FILE' puts them into the account",
    "seed --save-only": "--out FILE leaves the helpdesk alone",
    "seed --workers": "run.workers says how many requests go at the same time",
    "apply --limit": "take the first lines of the file, such as with 'head -n 100'",
    "release": (
        "keep the settings file in git, and compare a change with 'ticketbot eval --gate --candidate FILE' before it "
        "goes live"
    ),
    "report --account": "name the account's file with --config",
    "eval --against": "name the earlier settings file with --config, and the newer one with --candidate",
    "audit export": "'ticketbot audit show TICKET --json' and 'ticketbot audit show DAY' print what the log holds",
    "backtest": "'ticketbot eval --from-helpdesk' measures on solved tickets",
    "eval --html": "--out FILE.html writes the page",
    "dashboard --reports": "a browser opens the pages that 'ticketbot eval --out FILE.html' writes",
    "dashboard --no-browser": "no browser is opened",
    "report --urgency": "--only urgency=LABEL says the same",
    "report --sentiment": "--only sentiment=LABEL says the same",
    "report --risk": "--only risk=LABEL says the same",
    "report --secondary": "--only secondary=CATEGORY says the same",
    "report --subjects": "'ticketbot report --escalated' lists the escalated tickets with their subjects",
    "report --html": "--out FILE.html writes the page",
    "report --csv": "--out FILE.csv writes it",
    "report --markdown": "--out FILE.md writes it",
    "report --output": "--out FILE.md writes Markdown",
    "report --sample": "--limit N says how many tickets are read",
    "train --report": "--json prints the scores, and --folder FOLDER names the classifier's folder",
    "kb doctor --markdown": "--details prints everything, and --json has places and addresses",
    "kb doctor --out": "--details prints everything, and --json has places and addresses",
    "schedule install --mail-to": "put a line MAILTO=ADDRESS into the crontab, above the entry",
    "schedule show --mail-to": "put a line MAILTO=ADDRESS into the crontab, above the entry",
    "schedule show --output": "redirect what it prints: ticketbot schedule show > FILE",
    "health --serve": (
        "'ticketbot serve --metrics' answers /health and /metrics; 'ticketbot health --json' prints all that is found"
    ),
    "health --host": "'ticketbot serve --metrics' answers /health and /metrics, and has --host",
    "health --allow-host": "'ticketbot serve --metrics' answers /health and /metrics, with no sentence in them",
    "kb search --solved": "solved tickets are no longer kept",
}
"""By the command's path without ``ticketbot``, such as ``kb doctor`` or, for an option, ``run --limit``."""
