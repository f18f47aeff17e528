import errno
from importlib.metadata import version

import pytest

from palestra.cli import main as module
from palestra.cli.main import COMMANDS
from tests.conftest import CommandLine


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ModuleNotFoundError("x", name="ray.util"), "ray, which is not installed; pip install 'palestra[scale]'"),
        (ModuleNotFoundError("x", name="foo"), "pip install 'foo'"),
        (OSError(errno.ENOSPC, "No space left on device", "a/b"), "a/b: No space left on device"),
        (MemoryError("7 GB"), "there is not enough memory (7 GB)"),
        (ValueError("two\n lines"), "palestra: two lines"),
    ],
)  # fmt: skip
def test_errors_become_a_sentence(
    palestra: CommandLine, monkeypatch: pytest.MonkeyPatch, error: Exception, sentence: str
) -> None:
    def fail(command: str, args: list[str]) -> int:
        raise error

    monkeypatch.setattr(module, "_run", fail)
    status, _, err = palestra("agents")
    assert status == 2
    assert sentence in err
    assert len(err.splitlines()) == 1
    monkeypatch.setenv("PALESTRA_TRACEBACK", "1")
    with pytest.raises(type(error)):
        palestra("agents")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(palestra: CommandLine, command: str) -> None:
    try:
        status, out, _ = palestra(command, "--help")
    except SystemExit as exit:  # tyro's own way out
        status, out = int(exit.code or 0), "usage"
    assert status == 0
    assert out


def test_help_and_version(palestra: CommandLine) -> None:
    assert all(name in palestra()[1] for name in COMMANDS)
    assert palestra("--version")[1].strip() == f"palestra {version('palestra')}"
