"""How many threads torch gets."""

import os

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
