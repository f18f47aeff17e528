"""Updates a second of DQN on pixels, alone and beside two processes that only count, with and without GOMP_SPINCOUNT.

The network is that of Mnih et al. (2015), the batch 32, the threads are as many as the cores. `palestra` sets the
variable to 20000 unless it is set; it is read when torch is loaded, so each figure comes from a process of its own.

    python benchmarks/busy.py [seconds a figure]
"""

import json
import os
import subprocess
import sys

from palestra.cli.main import SETTINGS

COUNT_FOR_EVER = "while True: pass"
UPDATE = """
import sys, time
import numpy as np
from gymnasium.spaces import Box, Discrete
from palestra.agents.agent import Transition
from palestra.agents.dqn import DQN, DQNConfig

config = DQNConfig(batch_size=32, learning_starts=1, train_freq=1, double_q=False)
agent = DQN(config, Box(0, 255, (4, 84, 84), np.uint8), Discrete(6), 0)
frames = np.random.default_rng(0).integers(0, 255, (1, 4, 84, 84), np.uint8)
no = np.zeros(1, bool)
done, begin = -10, 0.0
while done < 0 or time.monotonic() - begin < float(sys.argv[1]):
    begin = time.monotonic() if done < 0 else begin
    agent.step += 1
    agent.learn(Transition(frames, np.array([1]), np.ones(1), frames, no, no, None, None))
    done += 1
print(done / (time.monotonic() - begin))
"""


def updates_a_second(seconds: float, spin_count: str | None, num_busy: int) -> float:
    """Measures in a fresh process beside `num_busy` others."""
    env = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
    env |= {} if spin_count is None else {"GOMP_SPINCOUNT": spin_count}
    busy = [subprocess.Popen([sys.executable, "-c", COUNT_FOR_EVER]) for _ in range(num_busy)]
    try:
        command = [sys.executable, "-c", UPDATE, str(seconds)]
        return float(subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout)
    finally:
        for process in busy:
            process.kill()
            process.wait()


def main() -> None:
    """Prints the table, and as the last line a JSON object."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 6.0
    figures = {}
    print(f"{'GOMP_SPINCOUNT':<16}{'alone':>8}{'beside two':>12}")
    for spin_count in (None, SETTINGS["GOMP_SPINCOUNT"]):
        alone, beside = (updates_a_second(seconds, spin_count, num_busy) for num_busy in (0, 2))
        figures[spin_count or "not set"] = {"alone": alone, "beside two": beside}
        print(f"{spin_count or 'not set':<16}{alone:>8.1f}{beside:>12.1f}", flush=True)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
