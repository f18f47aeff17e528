"""The allocator's settings are taken where there is something to set, and freed memory is used again."""

import ctypes
import platform
import subprocess
import sys

import pytest

from palestra.networks.pages import keep_pages


def test_is_taken_by_the_gnu_library_and_refused_by_none() -> None:
    assert keep_pages() == hasattr(ctypes.CDLL(None), "mallopt")


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
