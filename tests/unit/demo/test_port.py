"""The App's port is looked at before the demo begins."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from fiftyone_cocomask.cli import main


def test_a_port_in_use_is_said_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "demo"
    with socket.socket() as server:
        server.bind(("localhost", 0))
        server.listen()
        port = server.getsockname()[1]
        assert main(["demo", "--folder", str(folder), "--port", str(port)]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"error: Port {port} cannot be used for the App")
    assert "give another with --port" in said
    assert not folder.exists()


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http"])
def test_a_port_is_a_number_of_16_bits(port: str) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["demo", "--port", port])
    assert raised.value.code == 2
