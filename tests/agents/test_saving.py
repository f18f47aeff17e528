import numpy as np

from palestra.agents.saving import generator_state, restore_generator


def test_generators_go_on_where_they_were() -> None:
    rng, other = (np.random.Generator(np.random.PCG64(seed)) for seed in (1, 2))
    rng.random(3)
    rng.integers(0, 5, 1, np.uint32)  # leaves half a word
    restore_generator(other, generator_state(rng))
    assert rng.integers(0, 2**31, 5, np.int32).tolist() == other.integers(0, 2**31, 5, np.int32).tolist()
    assert rng.random() == other.random()
