"""PixelCNN: its blind spot and the gated one's lack of it, gates by hand, classes, and a fit to stripes."""

import pytest
import torch
from torch import Tensor

from palestra.networks import create
from palestra.networks.fit import FitConfig, Learner
from palestra.networks.pixelcnn import PixelCNN, gate


def seen_from(model: PixelCNN, row: int, column: int) -> set[tuple[int, int]]:
    """The pixels that the logits of a pixel depend on, in an 8 x 8 image."""
    x = torch.randint(2, (64, 1, 8, 8), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before = model.logits(x)[:, 0, row, column]
        changed = set()
        for i in range(8):
            for j in range(8):
                other = x.clone()
                other[:, :, i, j] = 1 - other[:, :, i, j]
                if not torch.equal(model.logits(other)[:, 0, row, column], before):
                    changed.add((i, j))
    return changed


@pytest.mark.parametrize(("name", "blind"), [("pixelcnn", True), ("gated-pixelcnn", False)])
def test_the_blind_spot(name: str, blind: bool) -> None:
    """Kernels of 3 pixels in four layers: a cone to the right above, of which the gated one sees all (Figure 1)."""
    torch.manual_seed(0)
    model = create(name, in_channels=1, image_size=(8, 8), levels=2, num_units=8, num_blocks=3, kernel=3)
    seen = seen_from(model, 5, 3)  # type: ignore[arg-type]
    assert all(place < (5, 3) for place in seen)
    # The first convolution and each block see a row more; masks let the masked one go right only by a column a row.
    beside = {(4, 5), (4, 6), (3, 6)}
    assert (beside & seen == set()) == blind
    assert {(5, 2), (5, 1), (5, 0), (4, 3), (4, 4), (3, 5), (2, 3)} <= seen


def test_gates_by_hand() -> None:
    h = torch.tensor([0.5, -1.0, 2.0, 0.0])[None, :, None, None]
    expected = torch.tanh(torch.tensor([0.5, -1.0])) * torch.sigmoid(torch.tensor([2.0, 0.0]))
    torch.testing.assert_close(gate(h).flatten(), expected)


@pytest.mark.parametrize("name", ["pixelcnn", "gated-pixelcnn"])
def test_classes_are_learnt(name: str) -> None:
    """Of class 0 all pixels are dark, of class 1 all are light: without classes ln 2 = 0.7 nats would be left."""
    torch.manual_seed(0)
    options = {"image_size": (4, 4), "levels": 2, "num_units": 16, "num_blocks": 1, "kernel": 3}
    model = create(name, in_channels=1, num_classes=2, **options)
    labels = torch.arange(64) % 2
    x = labels.float()[:, None, None, None].expand(64, 1, 4, 4).contiguous()
    list(Learner(model, FitConfig(epochs=40, batch_size=16, learning_rate=1e-2)).fit((x, labels)))
    assert float(model.log_prob(x, labels).nats.mean().detach()) > -0.5  # type: ignore[operator]
    drawn: Tensor = model.sample(20, torch.arange(20) % 2, generator=torch.Generator().manual_seed(0))  # type: ignore[operator]
    assert torch.equal(drawn.mean(dim=(1, 2, 3)).round(), torch.arange(20) % 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_units": 0}, "num_units is 0, but at least 1 is wanted"),
        ({"levels": 1}, "levels is 1, but at least 2 are wanted"),
        ({"kernel": 4}, "kernel is 4, but an odd number is wanted"),
    ],
)
def test_sizes_that_make_no_sense_are_refused(options: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        create("pixelcnn", in_channels=1, **options)
