"""Tables by name: what is there, the nearest where it is not, and all where nothing is near."""

import pytest

from palestra.networks.names import named


def test_names_are_looked_up_and_mistakes_answered() -> None:
    table = {"alpha": 1, "beta": 2}
    assert named("beta", table, "letter") == 2
    with pytest.raises(ValueError, match=r"there is no letter 'betta'; did you mean beta\?"):
        named("betta", table, "letter")
    with pytest.raises(ValueError, match=r"there is no letter 'xyz'; there are alpha, beta$"):
        named("xyz", table, "letter")
