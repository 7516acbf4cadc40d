"""The command line of clusters: what is refused before anything is tried."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..cli.conftest import Command


@pytest.mark.parametrize(
    ("words", "said"),
    [
        *(
            (f"{command} {scheme}", f"ticketbot: {scheme}: without TLS, every")
            for command in ("run --cluster", "worker --scheduler")
            for scheme in (f"tcp://{host}:8786" for host in ("127.0.0.1", "10.0.0.7", "scheduler", "[::]"))
        ),
        *((f"scheduler --host {host} --port 0", "without TLS") for host in ("127.0.0.1", "::1", "0.0.0.0")),
        (
            "worker --scheduler tls://scheduler:8786",
            "set DASK_DISTRIBUTED__COMM__TLS__CA_FILE and DASK_DISTRIBUTED__COMM__TLS__WORKER__CERT",
        ),
        *(
            (f"run --cluster {address}", "is no address of a scheduler")
            for address in ("scheduler:8786", "local:4", "tcp://127.0.0.1", "http://127.0.0.1:8786", "tcp://[x")
        ),
    ],
)
def test_what_is_not_safe_or_cannot_work_is_refused_in_one_line(tmp_path: Path, words: str, said: str) -> None:
    ended = Command(tmp_path).here(*words.split(), code=2)
    assert said in ended.err
    assert ended.err.count("\n") == 1


def test_a_worker_without_a_model_is_refused_in_one_line(tmp_path: Path) -> None:
    ended = Command(tmp_path)("worker", "--scheduler", "tcp://127.0.0.1:8786", "--insecure", code=2)
    assert "a worker asks models, and models.names has none" in ended.err
    assert ended.err.count("\n") == 1
