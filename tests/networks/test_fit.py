"""The fit loop: it learns, goes on exactly, stops early, says when it diverges, and processes change nothing."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from palestra.networks import create
from palestra.networks.fit import DivergedError, FitConfig, Learner
from palestra.networks.losses import LOSSES
from palestra.networks.stages import freeze

SCRIPT = Path(__file__).with_name("parallel_fit.py")


def data(num_samples: int = 60, num_classes: int = 3) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(0)
    x = torch.randn(num_samples, 5, generator=random)
    return x, (x @ torch.randn(5, num_classes, generator=random)).argmax(dim=1)


def learner(transform: Callable[[Tensor], Tensor] | None = None, **options: object) -> Learner:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(5, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 3))
    defaults = {"epochs": 4, "batch_size": 16, "learning_rate": 0.01, "device": "cpu"}
    return Learner(network, FitConfig(**{**defaults, **options}), transform=transform)  # type: ignore[arg-type]


def same(a: Learner, b: Learner) -> bool:
    pairs = zip(a.network.state_dict().values(), b.network.state_dict().values(), strict=True)
    return all(torch.equal(x, y) for x, y in pairs)


def noise(x: Tensor) -> Tensor:
    return x + 0.1 * torch.randn_like(x)


@pytest.mark.parametrize("optimizer", ["sgd", "nesterov", "adagrad", "adadelta", "rmsprop", "adamw"])
def test_a_fit_cut_anywhere_goes_on_to_the_bit(optimizer: str) -> None:
    options = {"optimizer": optimizer, "schedule": "one-cycle", "patience": 3}
    whole = learner(noise, **options)
    rows = list(whole.fit(data(), data(20)))
    for cut in (1, 7, 8, 15):
        first = learner(noise, **options)
        for step, _ in first.fit(data(), data(20)):
            if step == cut:
                break
        second = learner(noise, **options)
        second.restore(first.state())
        assert list(second.fit(data(), data(20))) == rows[cut:]
        assert same(whole, second)


def test_a_state_is_not_changed_by_what_is_learnt_after_it() -> None:
    one = learner()
    for step, _ in one.fit(data()):
        if step == 3:
            break
    state = one.state()
    rest = list(one.fit(data()))
    other = learner()
    other.restore(state)
    assert list(other.fit(data())) == rest
    assert same(one, other)


def test_global_randomness_before_a_fit_changes_nothing() -> None:
    results = []
    for seed in (1, 2):
        one = learner(noise)
        torch.manual_seed(seed)
        list(one.fit(data()))
        results.append(one)
    assert same(*results)


@pytest.mark.parametrize("parts", [2, 5])
def test_accumulating_gradients_changes_nothing_but_rounding(parts: int) -> None:
    results = []
    for accumulate in (1, parts):
        torch.manual_seed(0)
        one = Learner(
            nn.Linear(5, 3), FitConfig(epochs=2, batch_size=16, optimizer="sgd", accumulate=accumulate, device="cpu")
        )
        list(one.fit(data()))
        results.append(one.network.weight)
    torch.testing.assert_close(results[0], results[1], atol=1e-6, rtol=1e-5)


def test_the_optimum_is_scikit_learns() -> None:
    # Softmax regression is convex: the loss is the least that there is, which scikit-learn finds with other means.
    x, y = data(200)
    y = torch.where(torch.rand(200, generator=torch.Generator().manual_seed(1)) < 0.3, (y + 1) % 3, y)
    one = Learner(nn.Linear(5, 3), FitConfig(epochs=300, batch_size=200, learning_rate=0.05, device="cpu"))
    list(one.fit((x, y)))
    oracle = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000).fit(x, y)
    least = -np.log(oracle.predict_proba(x)[np.arange(200), y]).mean()
    assert one.evaluate((x, y))["loss"] == pytest.approx(least, abs=1e-4)
    assert (one.predict(x).argmax(dim=1).numpy() == oracle.predict(x)).mean() > 0.99


def test_patience_stops_early_with_the_best_weights() -> None:
    one = learner(epochs=50, patience=2, learning_rate=0.3)
    held_out = data(20)[0], data(20)[1].flip(0)  # labels without meaning: the loss soon rises
    list(one.fit(data(), held_out))
    losses = [row["loss"] for row in one.history]
    assert one.stopped
    assert len(losses) == losses.index(min(losses)) + 1 + 2
    assert one.evaluate(held_out)["loss"] == pytest.approx(min(losses), rel=1e-6)


def test_divergence_is_said_with_its_step_and_the_weights_stay() -> None:
    one = learner(optimizer="sgd", learning_rate=1e38)
    with pytest.raises(DivergedError, match="loss became nan at step 2; a smaller learning rate"):
        list(one.fit(data()))
    assert one.step == 1


def test_labels_out_of_range_are_refused() -> None:
    x, y = data()
    with pytest.raises(ValueError, match="labels must lie between 0 and 2, but go from 0 to 3"):
        list(learner().fit((x, y + (y == 2))))


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_learns(loss: str) -> None:
    one = learner(loss=loss, epochs=30, learning_rate=0.02)
    list(one.fit(data(200)))
    assert one.evaluate(data(200))["accuracy"] > 0.9


def test_an_objective_may_be_anything_of_the_network() -> None:
    def spread(network: nn.Module, batch: tuple[Tensor, ...]) -> tuple[Tensor, dict[str, Tensor]]:
        error = (network(batch[0])[:, 0] - 2.0).square()
        return error, {"error": error.sqrt()}

    one = Learner(
        create("mlp", in_channels=5, num_classes=1, hidden=()),
        FitConfig(epochs=200, device="cpu", learning_rate=0.05),
        objective=spread,
    )
    list(one.fit(data()[:1]))
    assert one.evaluate(data()[:1])["error"] < 0.01


def test_frozen_stages_are_not_learnt_and_nothing_left_is_refused() -> None:
    network = create("mlp", in_channels=5, num_classes=3, hidden=(4,))
    freeze(network, 1)
    before = network.features[0].weight.clone()
    list(Learner(network, FitConfig(epochs=1, device="cpu")).fit(data()))
    assert torch.equal(network.features[0].weight, before)
    network.requires_grad_(False)
    with pytest.raises(ValueError, match="nothing to fit"):
        Learner(network)


def test_mixed_precision_learns_about_the_same() -> None:
    whole, half = learner(epochs=20), learner(epochs=20, precision="bf16")
    list(whole.fit(data()))
    list(half.fit(data()))
    assert not same(whole, half)
    assert half.evaluate(data())["loss"] == pytest.approx(whole.evaluate(data())["loss"], abs=0.05)
    assert half.network[0].weight.dtype == torch.float32


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("epochs", "at least 1"),
        ("batch_size", "at least 1"),
        ("learning_rate", "must be positive"),
        ("loss", "no loss '0'"),
        ("optimizer", "no optimiser '0'"),
    ],
)
def test_options_out_of_range_are_refused(option: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        FitConfig(**{option: "0" if option in ("loss", "optimizer") else 0})  # type: ignore[arg-type]


def launched(out: Path, processes: int, accumulate: int = 1) -> dict[str, object]:
    command = [sys.executable, str(SCRIPT), str(out), str(accumulate)]
    if processes > 1:
        torchrun = f"-m torch.distributed.run --standalone --nproc-per-node {processes}"
        command = [sys.executable, *torchrun.split(), *command[1:]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return torch.load(out, weights_only=True)  # type: ignore[no-any-return]


def test_two_processes_give_the_weights_of_one(tmp_path: Path) -> None:
    # Gradients are averaged over the samples of a batch whoever computes them; 1e-6 leaves room for rounding alone.
    one = launched(tmp_path / "one", 1)
    for two in (launched(tmp_path / "two", 2), launched(tmp_path / "parts", 2, accumulate=3)):
        for name, weight in one["weights"].items():
            torch.testing.assert_close(two["weights"][name], weight, atol=1e-6, rtol=0)
        torch.testing.assert_close(two["outputs"], one["outputs"], atol=1e-5, rtol=0)
        for row, expected in zip(two["metrics"], one["metrics"], strict=True):
            assert row == pytest.approx(expected, abs=1e-6)
