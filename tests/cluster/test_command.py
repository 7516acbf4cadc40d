"""The command line of clusters: what is refused before anything is tried, and that a run without one knows nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ..cli.conftest import Command


def refused(folder: Path, *words: str) -> tuple[int, str]:
    ended = Command(folder)(*words, code=None)
    return ended.code, ended.err.strip()


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:8786", "tcp://10.0.0.7:8786", "tcp://scheduler:8786", "tcp://[::]:8786"]
)
def test_tls_is_wanted_also_on_this_machine(tmp_path: Path, address: str) -> None:
    for words in (("run", "--cluster", address), ("worker", "--scheduler", address)):
        code, said = refused(tmp_path, *words)
        assert (code, said.count("\n")) == (2, 0)
        assert said.startswith(f"ticketbot: {address}: without TLS, every")
        assert "can run programs in this process and read all that it may read; use tls://" in said


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "0.0.0.0"])
def test_a_scheduler_listens_with_tls_only(tmp_path: Path, host: str) -> None:
    code, said = refused(tmp_path, "scheduler", "--host", host, "--port", "0")
    assert (code, said.count("\n")) == (2, 0)
    assert "without TLS" in said


def test_tls_needs_certificates(tmp_path: Path) -> None:
    code, said = refused(tmp_path, "worker", "--scheduler", "tls://scheduler:8786")
    assert code == 2
    assert "set DASK_DISTRIBUTED__COMM__TLS__CA_FILE and DASK_DISTRIBUTED__COMM__TLS__WORKER__CERT" in said


@pytest.mark.parametrize(
    "address", ["scheduler:8786", "local:4", "tcp://127.0.0.1", "http://127.0.0.1:8786", "tcp://[x"]
)
def test_an_address_that_is_none_is_refused(tmp_path: Path, address: str) -> None:
    code, said = refused(tmp_path, "run", "--cluster", address)
    assert code == 2
    assert "is no address of a scheduler" in said


def test_a_worker_without_models_is_refused(tmp_path: Path) -> None:
    code, said = refused(tmp_path, "worker", "--scheduler", "tcp://127.0.0.1:8786", "--insecure")
    assert (code, said) == (2, "ticketbot: a worker asks models, and models.names has none")


def test_a_run_without_a_cluster_loads_nothing_of_it() -> None:
    program = (
        "import sys; from ticket_processor.wiring import runs; from ticket_processor.commands import run; "
        "print([name for name in sys.modules if name.split('.')[0] in ('dask', 'distributed')])"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
