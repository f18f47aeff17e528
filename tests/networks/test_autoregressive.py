"""Drawing number by number: levels by their shares, logits of the fast way, what is given and what is refused."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from palestra.networks import create
from palestra.networks.autoregressive import Naive, draw, level_at, nats_of, scaled


def model_of(name: str, **options: Any) -> Any:
    torch.manual_seed(0)
    sizes: dict[str, Any] = {"image_size": (6, 5), "levels": 4}
    model = create(name, in_channels=2, **sizes, **options).eval()
    for parameter, weight in model.named_parameters():
        if parameter == "last.weight" or parameter.endswith(("of_row", "of_column")):  # else zero at first
            torch.nn.init.normal_(weight, std=0.1)
    return model


def test_levels_by_their_share() -> None:
    logits = torch.tensor([0.5, 0.3, 0.2]).log().expand(5, 3)
    assert level_at(logits, torch.tensor([0.0, 0.49, 0.51, 0.79, 0.81])).tolist() == [0, 0, 1, 1, 2]
    assert level_at(logits[:1], torch.tensor([1.0 - 1e-16])).tolist() == [2]


def test_levels_are_scaled_and_judged_by_hand() -> None:
    assert scaled(torch.arange(3), 3).tolist() == [-1.0, 0.0, 1.0]
    logits = torch.tensor([[[0.5, 0.5], [0.9, 0.1]]]).log()
    torch.testing.assert_close(nats_of(logits, torch.tensor([[1, 0]])), torch.tensor([math.log(0.45)]))


@pytest.mark.parametrize("name", ["pixelcnn", "gated-pixelcnn", "pixelcnn++", "pixelrnn", "row-lstm"])
@pytest.mark.parametrize("num_classes", [None, 3])
def test_the_fast_ways_logits_are_the_slow_ones(name: str, num_classes: int | None) -> None:
    model = model_of(name, num_classes=num_classes)
    x = torch.randint(4, (3, *model.shape), generator=torch.Generator().manual_seed(1))
    condition = torch.tensor([0, 1, 2]) if num_classes else None
    with torch.inference_mode():
        fast, slow = model.walk(3, condition), Naive(model, condition)
        known = torch.zeros_like(x)
        for row in range(6):
            fast.begin_row(known, row)
            for column in range(5):
                for channel in range(2):
                    one, other = (w.at(known, row, column)[:, channel] for w in (fast, slow))
                    torch.testing.assert_close(one, other, rtol=0, atol=1e-5)
                    known[:, channel, row, column] = x[:, channel, row, column]
                fast.done(known, row, column)


def test_what_is_given_stays_and_the_rest_is_drawn() -> None:
    model = model_of("pixelcnn")
    given = torch.full((4, 2, 6, 5), -1)
    given[:, :, :3] = 2
    drawn = draw(model, 4, given=given, generator=torch.Generator().manual_seed(0))
    assert drawn[:, :, :3].eq(2).all()
    assert len(drawn[:, :, 3:].unique()) == 4
    for bad in (given[:3], torch.full_like(given, 4), torch.full_like(given, -2)):
        with pytest.raises(ValueError, match=r"must be \[4, 2, 6, 5\], levels from 0 to 3 or -1"):
            draw(model, 4, given=bad)


def test_rows_are_told_and_training_mode_comes_back() -> None:
    model, rows = model_of("pixelcnn").train(), list[int]()
    draw(model, 2, note=rows.append)
    assert rows == [0, 1, 2, 3, 4, 5]
    assert model.training


class Coin(torch.nn.Module):
    """A model of one number: level 1 with a probability of as many hundredths as its label says."""

    shape, levels, num_classes = (1, 1, 1), 2, 101

    def __init__(self) -> None:
        super().__init__()
        self.place = torch.nn.Parameter(torch.zeros(0))  # says where the model is

    def logits(self, x: Tensor, condition: Tensor) -> Tensor:
        p = torch.stack([100 - condition, condition], dim=-1)
        return p.log()[:, None, None, None]


def test_shares_of_a_coin() -> None:
    """4,000 throws of 0.3: within four standard deviations of 29."""
    thrown = draw(Coin(), 4000, torch.full((4000,), 30), cached=False, generator=torch.Generator().manual_seed(0))
    assert abs(int(thrown.sum()) - 1200) < 4 * 29
