import pytest

from palestra.cli import doctor
from tests.conftest import CommandLine


def test_a_sound_installation_is_ok(palestra: CommandLine) -> None:
    status, out, _ = palestra("doctor")
    assert status == 0
    assert all(line.startswith("ok") for line in out.splitlines())
    assert "7.2 GB" in out


def test_what_fails_is_said_with_how_to_mend_it(palestra: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "BASE", ("numpy", "no-such-package"))
    status, out, _ = palestra("doctor")
    assert status == 2
    assert "FAIL  packages  no-such-package missing; `pip install palestra` again" in out
