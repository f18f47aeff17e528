"""An allocator that keeps its pages, for networks whose temporary tensors are large."""

import ctypes

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3  # malloc.h of the GNU C library
LARGEST_HEAP_BLOCKS = 1 << 30, 32 << 20  # bytes; older versions of the library take no threshold above the second


def keep_pages() -> bool:
    """Tells the C library to keep freed memory of up to 2 GiB, and says whether it took that.

    By default it hands large blocks back to the system and faults their pages in anew at the next allocation, which
    is a thousand page faults an update of the Nature DQN, and a fifth of the time of MAPPO's. Other C libraries are
    left alone.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if hasattr(ctypes, "CDLL") else None
    if mallopt is None:
        return False
    taken = any(mallopt(M_MMAP_THRESHOLD, largest) for largest in LARGEST_HEAP_BLOCKS)
    wanted = {M_TRIM_THRESHOLD: 2**31 - 1, M_TOP_PAD: 64 << 20}
    return taken and all(mallopt(parameter, value) for parameter, value in wanted.items())
