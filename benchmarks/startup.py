"""How long the command line takes to start: `--help`, and a warm `train q-learning` to its first step.

The first step is taken when the first row of metrics.jsonl is there: the training is set to write one at once. Each
command is run once before it is timed, so that files and compiled kernels are cached. The peer is `python -c pass`.

    python benchmarks/startup.py [repetitions]
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TRAIN = ("train", "q-learning", "--env", "FrozenLake-v1", "--steps", "1000000000")
AT_ONCE = ("--agent.chunk", "1000", "--log-every", "1000")


def help_seconds() -> float:
    """Times `palestra --help`."""
    begin = time.monotonic()
    subprocess.run([str(Path(sys.executable).with_name("palestra")), "--help"], check=True, capture_output=True)
    return time.monotonic() - begin


def python_seconds() -> float:
    """Times an interpreter that does nothing."""
    begin = time.monotonic()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.monotonic() - begin


def first_step_seconds() -> float:
    """Times a training from the start of its process to its first row of metrics."""
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "runs" / "x" / "metrics.jsonl"
        begin = time.monotonic()
        command = [sys.executable, "-m", "palestra.cli", *TRAIN, *AT_ONCE, "--name", "x"]
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not rows.exists():
            time.sleep(0.005)
            if process.poll() is not None:
                raise RuntimeError("the training ended before its first step")
        seconds = time.monotonic() - begin
        process.kill()
        process.wait()
    return seconds


def main() -> None:
    """Prints the table, and as the last line a JSON object."""
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    figures = {}
    print(f"{'seconds':<32}{'median':>8}{'most':>8}")
    for name, measure in (
        ("python -c pass", python_seconds),
        ("palestra --help", help_seconds),
        ("train q-learning to first step", first_step_seconds),
    ):
        measure()
        times = [measure() for _ in range(repetitions)]
        figures[name] = {"median": statistics.median(times), "most": max(times)}
        print(f"{name:<32}{statistics.median(times):>8.3f}{max(times):>8.3f}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
