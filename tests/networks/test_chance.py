"""Random numbers are torch's own, and are where they are wanted."""

import torch

from palestra.networks import chance

META = torch.device("meta")


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_numbers_are_those_that_torch_draws_from_a_generator() -> None:
    p, odds = torch.tensor([[0.1, 0.9, 0.5]]), torch.tensor([0.2, 0.0, 0.8])
    cpu = p.device
    for found, wanted in (
        (chance.uniform((2, 3), cpu, seeded()), torch.rand(2, 3, generator=seeded())),
        (
            chance.uniform((4,), cpu, seeded(), dtype=torch.float64),
            torch.rand(4, generator=seeded(), dtype=torch.float64),
        ),
        (chance.normal((2, 3), cpu, seeded()), torch.randn(2, 3, generator=seeded())),
        (chance.integers(7, (5,), cpu, seeded()), torch.randint(7, (5,), generator=seeded())),
        (chance.bernoulli(p, seeded()), torch.bernoulli(p, generator=seeded())),
        (chance.categorical(odds, 9, seeded()), torch.multinomial(odds, 9, replacement=True, generator=seeded())),
    ):
        assert torch.equal(found, wanted)


def test_numbers_are_drawn_where_the_generator_is_and_returned_where_they_are_wanted() -> None:
    assert chance.uniform((2, 3), META, seeded()).is_meta
    assert chance.normal((2, 3), META, seeded()).is_meta
    assert chance.integers(7, (5,), META, seeded()).is_meta
    generator = seeded()
    chance.uniform((3,), META, generator)
    assert torch.equal(torch.rand(2, generator=generator), torch.rand(5, generator=seeded())[3:])
    assert chance.bernoulli(torch.zeros(2, device="meta")).is_meta  # without a generator, of the device itself
