"""Heads on a board, by hand, and symmetries that the tower keeps."""

import pytest
import torch

from palestra.networks import create
from palestra.networks.board import BoardNet, Compact, Judgement, Moves, Pooled
from palestra.networks.fit import FitConfig, Learner


def test_pooling_is_mean_and_maximum() -> None:
    x = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]], [[0.0, -1.0], [-2.0, -5.0]]]])
    assert Pooled()(x).tolist() == [[3.0, -2.0, 6.0, 0.0]]


def test_logits_of_the_points_are_in_the_order_of_the_actions() -> None:
    head = Moves(1, 7, (2, 3))
    with torch.no_grad():
        head.points.weight.fill_(2.0)
        head.bias.copy_(torch.arange(6.0))
        head.rest[1].weight.copy_(torch.tensor([[1.0, 10.0]]))  # type: ignore[index, union-attr]
        head.rest[1].bias.fill_(100.0)  # type: ignore[index, union-attr]
    x = torch.tensor([[[[0.0, 1.0, 2.0], [3.0, 4.0, 8.0]]]])
    assert head(x).tolist() == [[0.0, 3.0, 6.0, 9.0, 12.0, 21.0, 3.0 + 80.0 + 100.0]]
    assert Moves(1, 6, (2, 3))(x).shape == (1, 6)
    for wrong in (5, 8):
        with pytest.raises(
            ValueError, match=f"a board of 2 x 3 has 6 moves, or 7 with the pass, but num_classes is {wrong}"
        ):
            Moves(1, wrong, (2, 3))


def test_the_published_number_of_parameters() -> None:
    """Silver et al. (2017): a block has two convolutions of 3x3 and two normalisations, without biases of its own."""
    net = BoardNet(17, 82, width=256, blocks=20)
    tower = sum(p.numel() for p in net.tower.parameters())
    assert tower == 20 * 2 * (256 * 256 * 9 + 2 * 256)
    assert sum(p.numel() for p in net.stem.parameters()) == 17 * 256 * 9 + 2 * 256


@pytest.mark.parametrize("head", ["moves", "judgement", "auto"])
def test_outputs_and_features(head: str) -> None:
    x = torch.rand(3, 4, 5, 5)
    net = create("board", in_channels=4, num_classes=26, image_size=(5, 5), width=8, blocks=2, head=head).eval()
    assert net(x).shape == (3, 26)
    assert isinstance(net.head, Judgement if head == "judgement" else Moves)
    assert isinstance(create("board", in_channels=4, num_classes=3, image_size=(5, 5)).head, Judgement)
    assert create("board", in_channels=4, image_size=(5, 5), width=8, blocks=2)(x).shape == (3, 16)
    maps = create("board", in_channels=4, num_classes=26, image_size=(5, 5), width=8, blocks=2, features_only=True)(x)
    assert [tuple(m.shape) for m in maps] == [(3, 8, 5, 5)] * 3


def test_a_judgement_does_not_depend_on_where_the_board_is_cut_off() -> None:
    head = Judgement(4, 2, (5, 5)).eval()
    x = torch.rand(2, 4, 5, 5)
    assert torch.allclose(head(x), head(x.flip(2).transpose(2, 3)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"head": "move"}, "did you mean moves?"),
        ({"width": 0}, "width is 0, but at least 1 is wanted"),
        ({"blocks": 0}, "blocks is 0, but at least 1 is wanted"),
    ],
)
def test_wrong_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        create("board", in_channels=4, num_classes=82, **options)


def test_it_learns_where_the_stone_is() -> None:
    """A board with one stone: its place is the move, the pass where there is none."""
    torch.manual_seed(0)
    y = torch.arange(26).repeat(8)
    x = torch.nn.functional.one_hot(y, 26)[:, :25].float().view(-1, 1, 5, 5)
    net = create("board", in_channels=1, num_classes=26, image_size=(5, 5), width=8, blocks=1)
    learner = Learner(net, FitConfig(epochs=15, batch_size=26, learning_rate=1e-2))
    for _ in learner.fit((x, y)):
        pass
    assert learner.evaluate((x, y))["accuracy"] == 1.0


def test_the_compact_network_gives_the_same_outputs() -> None:
    """The network itself is the oracle, after its normalisations have seen data; bf16 keeps about two digits."""
    torch.manual_seed(0)
    net = BoardNet(4, 26, width=16, blocks=2, image_size=(5, 5))
    for _ in range(20):
        net(torch.rand(16, 4, 5, 5) * 3)
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight.uniform_(0.5, 2.0)
                module.bias.normal_()
    weights = {name: value.clone() for name, value in net.eval().state_dict().items()}
    x = torch.rand(7, 4, 5, 5)
    with torch.inference_mode():
        torch.testing.assert_close(Compact(net)(x), net(x), rtol=1e-4, atol=1e-4)
        close = Compact(net, torch.bfloat16)(x)
        assert close.dtype == torch.float32
        torch.testing.assert_close(close, net(x), rtol=0.05, atol=0.05 * float(net(x).std()))
    assert all(torch.equal(value, weights[name]) for name, value in net.state_dict().items())
