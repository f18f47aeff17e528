import errno

import pytest

from palestra.cli import main as module
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
