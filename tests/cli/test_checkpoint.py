import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from palestra.cli import checkpoint
from palestra.cli.checkpoint import CheckpointError


def a_state(step: int = 0) -> dict:
    rng = np.random.default_rng(step)
    return {
        "step": step,
        "nested": {
            "weights": rng.normal(size=(3, 4)),
            "empty": np.zeros((0, 2)),
            "scalar": np.float32(2.5),
            "0-d": np.array(3),
        },
        "tensor": torch.arange(6).reshape(2, 3).t(),  # not contiguous
        "large": rng.integers(0, 255, (5, 1 << 22), np.uint8),  # more than one block
        "words": ["a", None, True, 1 << 100, 0.1],
    }


def equal(a: object, b: object) -> bool:
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, np.ndarray | torch.Tensor):
        a = np.asarray(a)
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and a.shape == b.shape and bool((a == b).all())
    return bool(a == b)


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, 7, a_state())
    step, state = checkpoint.load(tmp_path)
    assert step == 7
    assert equal(a_state(), state)


def test_keys_left_out_are_not_read(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, 1, {"replay": np.ones(1 << 21, np.uint8), "rest": 1})
    for path in tmp_path.glob("*.safetensors"):
        if path.stat().st_size > 1 << 20:
            path.unlink()
    assert checkpoint.load(tmp_path, leave_out=["replay"])[1] == {"rest": 1}
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoint.load(tmp_path)


def test_unchanged_blocks_are_not_written_again(tmp_path: Path) -> None:
    state = a_state()
    checkpoint.save(tmp_path, 1, state)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.safetensors")}
    state["large"][-1, -1] ^= 1  # the last block alone
    checkpoint.save(tmp_path, 2, state)
    new = {path.name for path in tmp_path.glob("*.safetensors")} - before.keys()
    assert len(new) == 1
    assert all((tmp_path / name).stat().st_mtime_ns == time for name, time in before.items())


def test_the_last_two_are_kept_and_nothing_else(tmp_path: Path) -> None:
    for step in (10, 20, 30):
        checkpoint.save(tmp_path, step, {"x": np.full(3, step)})
    assert checkpoint.saved_steps(tmp_path) == [20, 30]
    assert len(list(tmp_path.iterdir())) == 4
    assert checkpoint.load(tmp_path, 20)[1]["x"].tolist() == [20, 20, 20]


@pytest.mark.parametrize("damage", ["truncate", "flip", "remove", "manifest", "nonsense"])
def test_a_damaged_one_gives_a_sentence_and_leaves_the_one_before(tmp_path: Path, damage: str) -> None:
    checkpoint.save(tmp_path, 1, {"x": np.arange(100)})
    before = set(tmp_path.iterdir())
    checkpoint.save(tmp_path, 2, {"x": np.arange(1, 101)})
    (blob,) = (path for path in set(tmp_path.iterdir()) - before if path.suffix == ".safetensors")
    manifest = tmp_path / f"{2:012d}.json"
    data = blob.read_bytes()
    if damage == "truncate":
        blob.write_bytes(data[:-1])
    elif damage == "flip":
        blob.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    elif damage == "remove":
        blob.unlink()
    elif damage == "manifest":
        manifest.write_text(manifest.read_text().replace("shape", "shade"))
    else:
        manifest.write_text("{")
    with pytest.raises(CheckpointError, match=r"step 2 .*damaged.*--from-step 1"):
        checkpoint.load(tmp_path)
    assert checkpoint.load(tmp_path, 1)[1]["x"][5] == 5
    checkpoint.discard_after(tmp_path, 1)
    checkpoint.save(tmp_path, 2, {"x": np.arange(1, 101)})
    assert checkpoint.load(tmp_path)[1]["x"][5] == 6


def test_none_and_a_missing_step_are_said(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint yet"):
        checkpoint.load(tmp_path)
    checkpoint.save(tmp_path, 5, {})
    with pytest.raises(CheckpointError, match=r"no checkpoint of step 6; it has 5"):
        checkpoint.load(tmp_path, 6)


@pytest.mark.parametrize("value", [{1: 2}, object(), {3}, b"bytes"])
def test_what_json_and_arrays_cannot_hold_is_refused(tmp_path: Path, value: object) -> None:
    with pytest.raises(TypeError):
        checkpoint.save(tmp_path, 1, {"x": value})
    assert checkpoint.saved_steps(tmp_path) == []


FILL_THE_DISK = """
import sys, numpy as np
from pathlib import Path
from palestra.cli import checkpoint
folder = Path(sys.argv[1])
try:
    checkpoint.save(folder, 2, {"x": np.arange(1 << 20)})
except checkpoint.CheckpointError as error:
    print(error)
"""


def test_a_full_disk_leaves_the_one_before(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, 1, {"x": np.arange(10)})
    before = sorted(path.name for path in tmp_path.iterdir())

    def small_files() -> None:  # a limit on file sizes fails a write as a full disk does, midway
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

    command = [sys.executable, "-c", FILL_THE_DISK, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=small_files, check=True)
    assert "could not be written" in done.stdout
    assert "step 1 is intact" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert checkpoint.load(tmp_path)[1]["x"][9] == 9
