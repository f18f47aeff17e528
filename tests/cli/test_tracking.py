import subprocess
import sys
from pathlib import Path

import pytest
import wandb

from tests.conftest import CommandLine

LAKE = ("train", "q-learning", "--env", "FrozenLake-v1", "--steps", "20000", "--eval-episodes", "2")


@pytest.fixture(autouse=True)
def _nobody_is_logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WANDB_API_KEY", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    wandb.finish()  # a run that a test before this one left open


@pytest.mark.parametrize("mode", ["offline", "online"])
def test_an_offline_run_is_written_also_without_a_login(palestra: CommandLine, mode: str) -> None:
    status, out, err = palestra(*LAKE, "--name", "lake", "--wandb", mode)
    assert status == 0
    assert out.splitlines()[-1] == "runs/lake"
    (record,) = Path("runs/lake/wandb").glob("offline-run-*/run-lake.wandb")
    content = record.read_bytes()
    assert content.startswith(b":W&B")  # the header that `wandb sync` looks for
    assert b"rollout/ep_rew_mean" in content
    assert b"eval/episodes" in content
    assert b"FrozenLake-v1" in content  # the configuration
    assert list(Path("runs/lake/wandb").glob("offline-run-*/files/media/videos/*.mp4"))
    assert list(Path("runs/lake/wandb").glob("offline-run-*/files/media/table/eval/*.json"))
    synced = subprocess.run(
        [sys.executable, "-m", "wandb", "sync", "--dry-run", str(record.parent)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Would sync 1 run" in synced.stderr + synced.stdout
    if mode == "online":
        assert "knows no login" in err


def test_a_network_that_is_down_does_not_stop_the_training(
    palestra: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("palestra.cli.tracking.LOGIN_TIMEOUT", 2)
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")  # nobody listens on the discard port
    status, out, err = palestra(*LAKE, "--name", "lake", "--wandb", "online")
    assert status == 0
    assert out.splitlines()[-1] == "runs/lake"
    assert "Weights & Biases cannot be reached" in err
    assert list(Path("runs/lake/wandb").glob("offline-run-*/*.wandb"))


@pytest.mark.parametrize("call", ["log", "finish"])
def test_errors_later_on_do_not_stop_it_either(
    palestra: CommandLine, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise RuntimeError("the service has gone")

    import wandb

    monkeypatch.setattr(wandb.Run, call, fail)
    status, _, err = palestra(*LAKE, "--name", "lake", "--wandb", "offline")
    assert status == 0
    assert "Weights & Biases failed (the service has gone); training goes on without it" in err


def test_off_does_not_import_it(palestra: CommandLine) -> None:
    sys.modules.pop("wandb", None)
    assert palestra(*LAKE, "--name", "lake")[0] == 0
    assert "wandb" not in sys.modules
    assert not Path("runs/lake/wandb").exists()


def test_samples_of_a_model_are_logged_as_images(palestra: CommandLine) -> None:
    words = ("fit", "made", "--data", "digits", "--epochs", "1", "--samples", "4", "--wandb", "offline", "--name", "a")
    status, _, err = palestra(*words)
    assert status == 0, err
    (image,) = Path("runs/a/wandb").glob("offline-run-*/files/media/images/*.png")
    assert image.read_bytes() == Path("runs/a/samples/13.png").read_bytes()
