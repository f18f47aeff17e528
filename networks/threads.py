"""How torch uses the processor: one thread for vectors, whose layers are too small to share, all cores for images."""

import os

from palestra.networks.pages import keep_pages


def cores() -> int:
    """Returns how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def use_threads(image: bool) -> int:
    """Sets torch's threads for networks on images or vectors, keeps freed memory, and returns the threads' number.

    The variable OMP_NUM_THREADS has the last word.
    """
    import torch  # here, so that those who only count cores need not wait for it

    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(cores() if image else 1)
    keep_pages()
    return torch.get_num_threads()
