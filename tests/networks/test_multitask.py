"""Several tasks on one trunk: the loss by hand, labels in both forms, saving, and what is learnt."""

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from palestra.networks import create
from palestra.networks.fit import FitConfig, Learner
from palestra.networks.pretrained import from_pretrained, save_pretrained

TASKS = {"digit": 4, "parity": 2}


def network(**options: object) -> nn.Module:
    torch.manual_seed(0)
    return create("multitask", in_channels=3, trunk="mlp", hidden=(8,), tasks=TASKS, **options)


def samples(count: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns vectors `[N, 3]` whose two signs say the digit, and labels `[N, 2]`: the digit and its parity."""
    x = torch.randn(count, 3, generator=torch.Generator().manual_seed(1))
    digit = 2 * (x[:, 0] > 0).long() + (x[:, 1] > 0).long()
    return x, torch.stack([digit, digit % 2], dim=1)


def test_the_loss_is_the_weighted_sum_of_the_tasks() -> None:
    net = network(weights={"parity": 0.25})
    x, y = samples(5)
    features = net.trunk(x)
    digit = F.cross_entropy(net.head["digit"](features), y[:, 0], reduction="none")
    parity = F.cross_entropy(net.head["parity"](features), y[:, 1], reduction="none")
    losses, metrics = net.objective((x, y))
    torch.testing.assert_close(losses, digit + 0.25 * parity)
    torch.testing.assert_close(metrics["parity_loss"], parity)


def test_labels_come_as_one_array_or_several() -> None:
    net = network()
    x, y = samples(5)
    together, apart = net.objective((x, y)), net.objective((x, y[:, 0], y[:, 1]))
    assert torch.equal(together[0], apart[0])
    assert all(torch.equal(together[1][name], apart[1][name]) for name in apart[1])


def test_the_learner_fits_both_tasks() -> None:
    net = network()
    learner = Learner(net, FitConfig(epochs=60, batch_size=32, learning_rate=0.02, device="cpu"))
    for _ in learner.fit(samples(256)):
        pass
    found = learner.evaluate(samples(256))
    assert found["digit_accuracy"] > 0.95  # the task has no noise; chance is 0.25
    assert found["parity_accuracy"] > 0.95
    logits = net.split(learner.predict(samples(256)))
    assert {task: part.shape for task, part in logits.items()} == {"digit": (256, 4), "parity": (256, 2)}


def test_a_task_of_weight_zero_leaves_its_head_alone() -> None:
    net = network(weights={"parity": 0.0})
    before = net.head["parity"].weight.detach().clone()
    for _ in Learner(net, FitConfig(epochs=2, batch_size=32, optimizer="sgd", device="cpu")).fit(samples()):
        pass
    assert torch.equal(before, net.head["parity"].weight)


def test_the_round_trip_is_exact(tmp_path: Path) -> None:
    net = create("multitask", in_channels=1, tasks=TASKS, image_size=(8, 8), widths=[[4], [4]], mean=[0.5], std=[0.2])
    copy = from_pretrained(save_pretrained(net, tmp_path)).eval()
    x = torch.rand(2, 1, 8, 8)
    assert torch.equal(net.eval()(x), copy(x))
    assert copy.tasks == TASKS


def test_one_task_or_none_by_the_number_of_classes() -> None:
    assert create("multitask", in_channels=1, num_classes=5, image_size=(8, 8)).tasks == {"class": 5}
    features = create("multitask", in_channels=1, image_size=(8, 8)).eval()
    assert features(torch.rand(2, 1, 8, 8)).shape == (2, features.num_features)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tasks": {"digit": 1}}, "at least two classes"),
        ({"tasks": TASKS, "num_classes": 5}, "6 classes together, not 5"),
        ({"tasks": TASKS, "weights": {"shape": 1.0}}, "weights are numbers"),
        ({"tasks": TASKS, "weights": {"digit": -1.0}}, "weights are numbers"),
        ({"tasks": {"a.b": 2}}, "plain name"),
        ({"tasks": {"keys": 2}}, "plain name"),
        ({"tasks": TASKS, "widths": ((0,),)}, "at least one unit"),
    ],
)
def test_wrong_arguments_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        create("multitask", in_channels=1, **{"num_classes": None, **options})


def test_wrong_labels_are_named() -> None:
    net = network()
    x, y = samples(4)
    with pytest.raises(ValueError, match="labels came for 1"):
        net.objective((x, y[:, 0]))
    with pytest.raises(ValueError, match="labels of parity must be from 0 to 1, but 7"):
        net.objective((x, torch.tensor([[0, 7]] * 4)))
