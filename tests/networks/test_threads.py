"""How many threads torch gets, and that freed memory is kept."""

import os
import platform
import subprocess
import sys

import pytest
import torch

from palestra.networks.threads import use_threads


def test_vectors_take_one_thread_images_all(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    try:
        assert use_threads(image=False) == torch.get_num_threads() == 1
        assert use_threads(image=True) == len(os.sched_getaffinity(0))
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        torch.set_num_threads(1)
        assert use_threads(image=True) == 1
    finally:
        torch.set_num_threads(before)


PAGES = """
import resource, torch
from palestra.networks.threads import use_threads
use_threads(image=True)
for _ in range(30):  # pieces that are a little too small come together in the end
    torch.ones(2**24)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(3):
    torch.ones(2**24)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is asked to keep memory")
def test_memory_of_large_tensors_is_used_again() -> None:
    """Without it each tensor of 64 MiB costs 16,384 new pages of 4 KiB."""
    done = subprocess.run([sys.executable, "-c", PAGES], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 2**14
