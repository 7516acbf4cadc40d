"""Certificates made as ``deploy/kubernetes/cluster/tls.yaml`` says let in who has them, and nobody else."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from ..cli.conftest import Desk, OpenDesk
from .nodes import PATIENCE_S, REPOSITORY, Node, Nodes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
TICKETS = 6


def made_by_hand(folder: Path) -> dict[str, str]:
    """The variables for certificates that are made in that folder by the manifest's commands."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl here")
    folder.mkdir()
    text = (REPOSITORY / "deploy" / "kubernetes" / "cluster" / "tls.yaml").read_text(encoding="utf-8")
    commands = re.findall(r"^#   openssl (.*)$", text.replace("\\\n#", " "), flags=re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        subprocess.run([openssl, *shlex.split(command)], cwd=folder, check=True, capture_output=True)
    found = {"CA_FILE": "ca.crt"}
    for role in ("CLIENT", "SCHEDULER", "WORKER"):
        found |= {f"{role}__CERT": "tls.crt", f"{role}__KEY": "tls.key"}
    return {f"DASK_DISTRIBUTED__COMM__TLS__{name}": str(folder / file) for name, file in found.items()}


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    return open_desk(TICKETS, model=True)


def test_who_has_a_certificate_of_the_authority_works_and_who_has_another_is_refused(
    desk: Desk, tmp_path: Path
) -> None:
    ours, others = (made_by_hand(tmp_path / name) for name in ("ours", "others"))
    with Nodes(desk.folder, desk.environ | ours) as nodes:
        assert nodes.address.startswith("tls://")
        words = ("run", "--since", "7d", "--json", "--cluster")
        stranger = Node(
            desk.folder,
            nodes.environ | others,
            *("worker", "--scheduler", nodes.address, "--death-timeout", "3"),
        )
        try:
            assert stranger.process.wait(PATIENCE_S) == 3
        finally:
            stranger.end()
        assert f"ticketbot: no scheduler answers at {nodes.address}" in "".join(stranger.lines)
        nodes.add(1)

        refused = desk(*words, nodes.address, code=3, fresh=True, **others)
        assert "cannot be reached" in refused.err
        plain = desk(*words, nodes.address.replace("tls://", "tcp://"), "--insecure", code=3, fresh=True)
        assert "cannot be reached" in plain.err
        assert not desk.marked()

        ended = desk(*words, nodes.address, fresh=True, **ours)
    desk.assert_done()
    told = {"answered": TICKETS, "asked": TICKETS, "here": 0, "again": 0, "refused_by": "", "lost": ""}
    assert ended.object["cluster"].items() >= told.items()
