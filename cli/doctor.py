"""`palestra doctor`: what is installed, what would fail, and how to mend it."""

import contextlib
import importlib
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from palestra.cli.agents import no_arguments

BASE = (
    *("numpy", "numba", "torch", "gymnasium", "ale-py", "pettingzoo", "stable-baselines3", "wandb", "tyro", "rich"),
    *("safetensors", "matplotlib", "scikit-learn", "captum", "accelerate", "imageio", "imageio-ffmpeg", "psutil"),
)
OPTIONAL = {"ray": "scale", "torchvision": "vision", "timm": "vision", "cffi": "bench"}
ATARI_TRANSITIONS = 1_000_000


def main(args: Sequence[str]) -> int:
    """Prints a line for each thing looked at; exit status 2 when something that is needed fails."""
    no_arguments("doctor", args)
    if args:
        print("usage: palestra doctor\n\nLooks at packages, device, threads, memory, disk, Atari, video and W&B.")
        return 0
    checks: list[tuple[str, Callable[[], str]]] = [
        ("python", _python),
        ("packages", _packages),
        ("optional", _optional),
        ("device", _device),
        ("threads", _threads),
        ("memory", _memory),
        ("disk", _disk),
        ("kernels", _kernels),
        ("atari", _atari),
        ("video", _video),
        ("wandb", _wandb),
    ]
    failed = 0
    for name, check in checks:
        try:
            print(f"ok    {name:<9} {check()}")
        except (ValueError, OSError, ImportError, RuntimeError) as error:
            failed += 1
            print(f"FAIL  {name:<9} {error}")
    return 2 if failed else 0


def _python() -> str:
    return f"{sys.version.split()[0]} at {sys.executable}"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _packages() -> str:
    missing = [name for name in BASE if _version(name) is None]
    if missing:
        raise ValueError(f"{', '.join(missing)} missing; `pip install palestra` again brings what it needs")
    importlib.import_module("pygame")  # some releases of Gymnasium bring pygame, others pygame-ce
    return ", ".join(f"{name} {_version(name)}" for name in BASE)


def _optional() -> str:
    return "; ".join(
        f"{name} {_version(name) or f'absent (pip install palestra[{extra}])'}" for name, extra in OPTIONAL.items()
    )


def _device() -> str:
    import torch

    if torch.cuda.is_available():
        return f"CUDA: {torch.cuda.get_device_name()}, {torch.cuda.get_device_properties(0).total_memory / 1e9:.0f} GB"
    return f"CPU only (torch {torch.__version__}); Atari learns at some hundred steps a second here"


def _threads() -> str:
    import torch

    from palestra.networks.threads import cores

    set_by = f"OMP_NUM_THREADS={os.environ['OMP_NUM_THREADS']}" if "OMP_NUM_THREADS" in os.environ else "its own rule"
    return f"{cores()} cores, torch uses {torch.get_num_threads()} threads by {set_by}"


def _memory() -> str:
    import psutil

    from palestra.agents.dqn import DQN
    from palestra.envs.spec import EnvSpec

    free = psutil.virtual_memory().available
    needed = DQN.bytes_needed(DQN.Config(buffer_size=ATARI_TRANSITIONS), EnvSpec("ALE/Pong-v5"))
    verdict = "fits" if needed < free else "does NOT fit: use a smaller --agent.buffer-size"
    return (
        f"{free / 1e9:.1f} GB free; a replay memory of a million Atari steps takes {needed / 1e9:.1f} GB and {verdict}"
    )


def _disk() -> str:
    from palestra.cli.run import runs_folder

    folder = runs_folder() if runs_folder().exists() else "."
    if not os.access(folder, os.W_OK):
        raise ValueError(f"runs cannot be written to {folder}; set PALESTRA_RUNS to a folder that can")
    return f"{shutil.disk_usage(folder).free / 1e9:.1f} GB free for runs in {runs_folder()}"


def _kernels() -> str:
    from palestra.envs.rng import next_uint64, seed_state

    next_uint64(seed_state(0))
    cached = sum(next_uint64.stats.cache_hits.values()) if hasattr(next_uint64, "stats") else 0
    return "compiled kernels " + (
        "come from the cache" if cached else "were compiled just now; the next start is faster"
    )


def _atari() -> str:
    import gymnasium as gym

    from palestra.envs.spec import EnvSpec

    envs = EnvSpec("ALE/Pong-v5").make_vec()
    envs.reset(seed=0)
    envs.close()
    return f"{sum(id.startswith('ALE/') for id in gym.registry)} games, ROMs included; Pong starts"


def _video() -> str:
    ffmpeg: Any = importlib.import_module("imageio_ffmpeg")
    return f"ffmpeg {ffmpeg.get_ffmpeg_version()}"


def _wandb() -> str:
    import netrc

    known = "WANDB_API_KEY" in os.environ
    with contextlib.suppress(OSError, netrc.NetrcParseError):
        known = known or bool(netrc.netrc().hosts)
    return "login found" if known else "no login: --wandb offline works, --wandb online falls back to it (wandb login)"
