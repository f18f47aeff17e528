"""How many threads torch gets, and that freed memory is kept."""

import os
import platform
import resource

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


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is asked to keep memory")
def test_memory_of_large_tensors_is_used_again() -> None:
    """Without it each tensor of 64 MiB costs 16,384 new pages of 4 KiB."""
    use_threads(image=True)
    for _ in range(3):
        torch.zeros(2**24)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(3):
        torch.zeros(2**24)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < 2**14
