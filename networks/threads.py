"""How torch uses the processor: one thread for vectors, whose layers are too small to share, all cores for images."""

import ctypes
import os

KEPT = 2**30  # bytes that the C library keeps for the next tensors


def cores() -> int:
    """Returns how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def use_threads(image: bool) -> int:
    """Sets torch's threads for networks on images or vectors, and returns their number.

    The variable OMP_NUM_THREADS has the last word.
    """
    import torch  # here, so that those who only count cores need not wait for it

    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(cores() if image else 1)
    _keep_memory()
    return torch.get_num_threads()


def _keep_memory() -> None:
    """Lets glibc use freed memory again for large tensors, where it would ask the system for new pages each time."""
    trim_threshold, mmap_threshold = -1, -3  # mallopt's names for them
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if mallopt is not None:
        mallopt(mmap_threshold, KEPT)
        mallopt(trim_threshold, KEPT)
