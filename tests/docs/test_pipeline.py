"""The example of pipeline parallelism, run as its readers run it: two processes, on a free port."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docs" / "examples" / "pipeline.py"
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "error"}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=240)


def test_two_processes_train_as_one() -> None:
    done = run(*TORCHRUN, FILE)
    assert done.returncode == 0, done.stderr
    losses = re.findall(r"step \d: loss ([\d.]+) as a pipeline, ([\d.]+) in one process", done.stdout)
    assert len(losses) == 5
    assert all(abs(float(a) - float(b)) <= 2e-6 for a, b in losses)  # printed with six digits
    assert float(losses[-1][0]) < float(losses[0][0])
    worst = re.search(r"largest difference of a loss, gradient or weight: (\S+)", done.stdout)
    assert worst is not None
    assert float(worst[1]) <= 1e-6
    assert "Warning" not in done.stderr


@pytest.mark.slow
def test_a_difference_is_an_error(tmp_path: Path) -> None:
    # With the sum of losses instead of their mean, gradients of microbatches do not add up to those of the batch.
    wrong = tmp_path / "wrong.py"
    changed = FILE.read_text().replace(
        "MICROBATCHES, F.cross_entropy)", 'MICROBATCHES, nn.CrossEntropyLoss(reduction="sum"))'
    )
    assert changed != FILE.read_text()
    wrong.write_text(changed)
    done = run(*TORCHRUN, wrong)
    assert done.returncode == 1
    assert "largest difference" in done.stdout


def test_alone_it_says_how_it_is_started(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with pytest.raises(SystemExit, match="2"):
        runpy.run_path(str(FILE), run_name="__main__")
    assert capsys.readouterr().err.startswith("the pipeline has two stages: torchrun --nproc-per-node 2")
