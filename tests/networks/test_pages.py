"""The allocator's settings are taken where there is something to set."""

import ctypes

from palestra.networks.pages import keep_pages


def test_is_taken_by_the_gnu_library_and_refused_by_none() -> None:
    assert keep_pages() == hasattr(ctypes.CDLL(None), "mallopt")
