"""Transfer: which weights are copied and kept, the curve's rows, probes, and what is refused."""

import pytest
import torch
from torch import nn

from palestra.networks import create
from palestra.networks.fit import FitConfig
from palestra.perception.data import Images, load_images
from palestra.perception.training import Accuracies, copy_into, fitted, seeded, stage_names
from palestra.perception.transfer import (
    KINDS,
    Row,
    fine_tuned,
    halves,
    layer_transfer,
    linear_probe,
    of_classes,
    table,
    with_classes,
)

DIGITS = load_images("digits")
SHORT = FitConfig(loss="cross-entropy", epochs=2, batch_size=64, learning_rate=3e-3)


def make(num_classes: int | None) -> nn.Module:
    return create("convnet", in_channels=1, num_classes=num_classes, image_size=(8, 8), widths=((8,), (16,)), hidden=32)


def test_new_heads_keep_the_trunk() -> None:
    network = make(10)
    other = with_classes(network, 4).eval()
    assert other(DIGITS.pixels[:2]).shape == (2, 4)
    assert torch.equal(other.features(DIGITS.pixels[:9] / 255), network.eval().features(DIGITS.pixels[:9] / 255))
    assert other.config == {**network.config, "num_classes": 4}
    assert with_classes(network, None)(DIGITS.pixels[:2]).shape == (2, 32)


def test_fine_tuning_keeps_the_frozen_stages_and_the_given_network() -> None:
    network = fitted(make(10), DIGITS.split(0.2)[1], SHORT, seed=0)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    part = of_classes(DIGITS, (3, 8)).split(0.3)[1]
    other = fine_tuned(network, part, SHORT, frozen=1)
    after = other.state_dict()
    kept = stage_names(other, 1)
    assert "features.1.running_mean" in kept
    assert all(torch.equal(before[name], after[name]) for name in kept)
    assert not torch.equal(before["features.5.weight"], after["features.5.weight"])
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_stages_have_the_names_that_freezing_counts() -> None:
    network = make(10)
    weights = [name for name in stage_names(network, 2) if name.endswith("weight")]
    assert weights == ["features.0.weight", "features.1.weight", "features.5.weight", "features.6.weight"]
    assert stage_names(network, 0) == []
    assert all(p.requires_grad for p in network.parameters())
    with pytest.raises(ValueError, match="4 stages were to be frozen"):
        stage_names(network, 4)


def test_copied_stages_answer_as_their_source() -> None:
    source, network = seeded(make, 5, 0), seeded(make, 5, 1)
    x = DIGITS.pixels[:4]
    source.train()
    source(x)  # moves its statistics
    copy_into(network, source, stage_names(network, 2))
    for net in (source, network):
        net.eval()
    assert torch.equal(source.features(x / 255), network.features(x / 255))
    assert not torch.equal(source(x), network(x))


def test_classes_are_chosen_and_numbered_anew() -> None:
    part = of_classes(DIGITS, (7, 2))
    assert part.classes == ("7", "2")
    assert len(part) == int(((DIGITS.labels == 7) | (DIGITS.labels == 2)).sum())
    first = int(torch.nonzero(DIGITS.labels == 7)[0])
    mine = int((DIGITS.labels[:first] == 2).sum())  # images of class 2 that come before
    assert torch.equal(part.pixels[mine], DIGITS.pixels[first])
    assert part.labels[mine] == 0
    with pytest.raises(ValueError, match="no images of class 12"):
        of_classes(DIGITS, (12,))
    with pytest.raises(ValueError, match="no labels"):
        of_classes(Images(DIGITS.pixels), (1,))


def test_classes_are_halved_in_order_or_at_random() -> None:
    assert halves(10) == ([0, 1, 2, 3, 4], [5, 6, 7, 8, 9])
    a, b = halves(10, seed=3)
    assert sorted(a + b) == list(range(10))
    assert halves(10, seed=3) == (a, b) != halves(10, seed=4)


def test_the_curve_has_every_kind_at_every_depth() -> None:
    first, second = (of_classes(DIGITS, half) for half in halves(10))
    b, test = second.split(0.5)
    rows = layer_transfer(make, first, b, test, seeds=(0, 1), updates=(40, 40), depths=(1, 3), config=SHORT)
    assert {(row.kind, row.depth) for row in rows} == {(None, 0)} | {(kind, n) for kind in KINDS for n in (1, 3)}
    assert all(len(row.accuracies.values) == 2 for row in rows)
    mean = {(row.kind, row.depth): row.accuracies.mean for row in rows}
    assert mean[None, 0] > 0.7  # chance is 0.2
    assert mean["AnB+", 3] > mean["AnB", 3] + 0.1  # what is kept is worse, what learns on is not
    assert mean["BnB", 3] > mean["AnB", 3] + 0.1  # features of B's own last hidden layer suit B better than A's


def test_what_cannot_be_transferred_is_said() -> None:
    a, b = (of_classes(DIGITS, half) for half in halves(10))
    with pytest.raises(ValueError, match="no kind of transfer 'CnB'"):
        layer_transfer(make, a, b, b, kinds=("CnB",))
    with pytest.raises(ValueError, match="9 stages were to be copied, but there are 1 to 3"):
        layer_transfer(make, a, b, b, depths=(9,))
    with pytest.raises(ValueError, match="its test has 10"):
        layer_transfer(make, a, b, DIGITS)
    with pytest.raises(ValueError, match=r"palestra\.networks\.create makes it"):
        with_classes(nn.Linear(3, 2), 5)


def test_probes_see_pixels_and_every_stage() -> None:
    train, test = DIGITS.split(0.3)
    network = fitted(make(10), train, FitConfig(loss="cross-entropy", epochs=8, learning_rate=3e-3), seed=0)
    probes = linear_probe(network, train, test)
    assert [probe.stage for probe in probes] == ["pixels", *network.stages]
    assert [probe.dimensions for probe in probes] == [64, 8, 16, 32]
    assert probes[0].accuracy > 0.93  # logistic regression on the pixels reaches 95 to 97 %
    assert probes[3].accuracy > probes[2].accuracy > probes[1].accuracy  # means of 8 filters say little
    assert linear_probe(network, train, test, ["features.2"], grid=2)[1].dimensions == 4 * 8


def test_the_table_has_a_line_for_each_depth() -> None:
    rows = [Row(None, 0, Accuracies((0.9,))), *(Row(k, n, Accuracies((0.5,))) for k in ("AnB", "BnB") for n in (1, 2))]
    lines = table(rows).splitlines()
    assert lines[0] == "B itself  90.00%"
    assert lines[1].split() == ["stages", "BnB", "AnB"]
    assert [line.split() for line in lines[2:]] == [["1", "50.00%", "50.00%"], ["2", "50.00%", "50.00%"]]
