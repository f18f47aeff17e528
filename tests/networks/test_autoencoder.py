"""Autoencoders: losses, penalties and noises against closed forms, codes, classes, folders, and what they refuse."""

from pathlib import Path
from typing import Any

import pytest
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.distributions import Bernoulli, kl_divergence

from palestra.networks import create
from palestra.networks.autoencoder import Autoencoder, corrupted, kl_sparsity
from palestra.networks.fit import FitConfig, Learner
from palestra.networks.pretrained import from_pretrained, save_pretrained
from palestra.networks.stages import FeatureMaps

AUTOENCODERS: dict[str, dict[str, Any]] = {
    "autoencoder": {},
    "sparse-autoencoder": {},
    "denoising-autoencoder": {"noise": "salt-and-pepper"},
    "stacked-autoencoder": {"num_features": 7},
    "conv-autoencoder": {"num_features": 5},
}


def images(num: int, channels: int = 2, size: tuple[int, int] = (36, 41)) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (num, channels, *size), dtype=torch.uint8, generator=generator)


def digits() -> Tensor:
    return torch.tensor(load_digits().images[:, None] / 16.0, dtype=torch.float32)


@pytest.mark.parametrize("name", AUTOENCODERS)
def test_codes_reconstructions_and_losses_have_their_shapes(name: str) -> None:
    network = create(name, in_channels=2, image_size=(36, 41), **AUTOENCODERS[name])
    x = images(3)
    code, reconstruction = network.encode(x), network.reconstruct(x)
    assert code.shape == (3, network.num_features)
    assert reconstruction.shape == x.shape
    assert 0.0 < reconstruction.min() < reconstruction.max() < 1.0
    torch.testing.assert_close(network(x), code)
    torch.testing.assert_close(network(x / 255), code)
    torch.testing.assert_close(network.decode(code), reconstruction)
    loss, metrics = network.objective((x, torch.zeros(3)))
    assert loss.shape == (3,)
    assert all(value.shape == (3,) and not value.requires_grad for value in metrics.values())
    assert len(FeatureMaps(network)(x)) == len(network.stages)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("perceptron", {}),
        ("mlp", {"hidden": (6,), "batch_norm": True, "initialisation": "he"}),
        ("rbf", {"num_centres": 5}),
        *AUTOENCODERS.items(),
    ],
)
@pytest.mark.parametrize("num_classes", [None, 4])
def test_saved_and_loaded_is_the_same_to_the_bit(
    name: str, options: dict[str, Any], num_classes: int | None, tmp_path: Path
) -> None:
    options = {"image_size": (36, 41), "mean": [0.4, 0.5], "std": [0.2, 0.3], **options}
    network = create(name, in_channels=2, num_classes=num_classes, **options)
    loaded = from_pretrained(save_pretrained(network, tmp_path / "network"))
    x = images(3)
    network.eval(), loaded.eval()
    assert torch.equal(network(x), loaded(x))
    assert network.state_dict().keys() == loaded.state_dict().keys()
    if isinstance(network, Autoencoder):
        assert torch.equal(network.reconstruct(x), loaded.reconstruct(x))


@pytest.mark.parametrize("name", AUTOENCODERS)
def test_is_fitted_without_labels_and_then_given_classes(name: str, tmp_path: Path) -> None:
    network = create(name, in_channels=2, image_size=(36, 41), **AUTOENCODERS[name])
    classifier = from_pretrained(save_pretrained(network, tmp_path / "network"), num_classes=4)
    x, labels = images(3), torch.tensor([0, 3, 1])
    torch.testing.assert_close(classifier.encode(x), network(x))
    torch.testing.assert_close(classifier(x), classifier.head(network(x)))
    loss, metrics = classifier.objective((x, labels))
    torch.testing.assert_close(loss, nn.functional.cross_entropy(classifier(x), labels, reduction="none"))
    assert set(metrics) == {"accuracy"}


@pytest.mark.parametrize("name", ["autoencoder", "conv-autoencoder"])
def test_the_encoder_is_a_network_of_its_own(name: str, tmp_path: Path) -> None:
    network = create(name, in_channels=2, image_size=(36, 41), mean=[0.4, 0.5], std=[0.2, 0.3])
    loaded = from_pretrained(save_pretrained(network.encoder, tmp_path / "encoder"))
    x = images(3)
    assert torch.equal(loaded(x), network(x))
    assert loaded.num_features == network.num_features
    assert from_pretrained(tmp_path / "encoder", num_classes=6)(x).shape == (3, 6)


def test_losses_are_sums_over_pixels() -> None:
    x = digits()[:4]
    p = (network := Autoencoder(1, image_size=(8, 8))).reconstruct(x)
    entropy = -(x * p.log() + (1 - x) * (1 - p).log()).sum(dim=(1, 2, 3))
    torch.testing.assert_close(network.objective((x,))[0], entropy)
    squared = Autoencoder(1, image_size=(8, 8), loss="squared")
    torch.testing.assert_close(squared.objective((x,))[0], (x - squared.reconstruct(x)).square().sum(dim=(1, 2, 3)))
    linear = Autoencoder(3, hidden=(), num_features=2, loss="squared", output="identity")
    vectors = 5 * torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    expected = (vectors - linear.reconstruct(vectors)).square().sum(dim=1)
    torch.testing.assert_close(linear.objective((vectors,))[0], expected)


def test_vectors_are_taken_without_an_image_size() -> None:
    network = create("autoencoder", in_channels=6, hidden=(5, 4), num_features=3)
    assert network.input_rank == 1
    assert [tuple(p.shape) for p in network.decoder.parameters() if p.dim() == 2] == [(4, 3), (5, 4), (6, 5)]
    assert network.reconstruct(torch.rand(2, 6)).shape == (2, 6)


def test_kl_is_that_of_coins() -> None:
    code = torch.tensor([[0.1, 0.9, 0.3], [0.3, 0.5, 0.1]])  # means 0.2, 0.7, 0.2
    mean = Bernoulli(torch.tensor([0.2, 0.7, 0.2]))
    expected = kl_divergence(Bernoulli(torch.tensor(0.2)), mean).sum()
    torch.testing.assert_close(kl_sparsity(code, 0.2), expected)
    assert kl_sparsity(torch.full((4, 2), 0.05), 0.05).item() == pytest.approx(0.0, abs=1e-6)
    assert torch.isfinite(kl_sparsity(torch.zeros(2, 3), 0.05))


def test_penalty_is_added_and_makes_units_seldom_active() -> None:
    network = create("sparse-autoencoder", in_channels=1, image_size=(8, 8), num_features=40, sparsity_weight=30.0)
    x = digits()
    loss, metrics = network.objective((x,))
    torch.testing.assert_close(loss, metrics["reconstruction"] + 30.0 * kl_sparsity(network(x), 0.05))
    torch.testing.assert_close(metrics["sparsity"], kl_sparsity(network(x), 0.05).expand(len(x)))
    for _ in Learner(network, FitConfig(epochs=20, learning_rate=3e-3)).fit((x,)):
        pass
    assert network(x).mean().item() == pytest.approx(0.05, abs=0.01)  # 0.05 is asked for, and it was 0.5


def test_noises_are_what_they_say() -> None:
    # 40,000 numbers: fractions within 5 standard errors, of at most 0.0025 each.
    torch.manual_seed(0)
    x = torch.full((200, 200), 0.4)
    masked = corrupted(x, "masking", 0.25)
    assert (masked == 0).float().mean().item() == pytest.approx(0.25, abs=0.0125)
    assert set(masked.unique().tolist()) == {0.0, x[0, 0].item()}
    salted = corrupted(x, "salt-and-pepper", 0.2)
    assert (salted == 0).float().mean().item() == pytest.approx(0.1, abs=0.0125)
    assert (salted == 1).float().mean().item() == pytest.approx(0.1, abs=0.0125)
    assert (salted == x).float().mean().item() == pytest.approx(0.8, abs=0.0125)
    noise = corrupted(x, "gaussian", 0.3) - x
    assert noise.mean().item() == pytest.approx(0.0, abs=0.0125)
    assert noise.std().item() == pytest.approx(0.3, abs=0.0125)


def test_noise_is_of_training_alone_and_its_target_is_clean() -> None:
    network = Autoencoder(1, image_size=(8, 8), noise="masking", noise_level=1.0)  # all is masked
    x = digits()[:5]
    blind = nn.functional.binary_cross_entropy(network.reconstruct(0 * x), x, reduction="none").sum(dim=(1, 2, 3))
    torch.testing.assert_close(network.objective((x,))[0], blind)
    network.eval()
    plain = nn.functional.binary_cross_entropy(network.reconstruct(x), x, reduction="none").sum(dim=(1, 2, 3))
    torch.testing.assert_close(network.objective((x,))[0], plain)


def test_denoising_mends_what_a_plain_autoencoder_does_not() -> None:
    # Vincent et al. 2010, section 2.3: without noise an overcomplete code learns to copy, corruption and all.
    x, errors = digits(), {}
    for noise in (None, "masking"):
        torch.manual_seed(0)
        network = create("denoising-autoencoder", in_channels=1, image_size=(8, 8), noise=noise)
        for _ in Learner(network, FitConfig(epochs=100, learning_rate=3e-3)).fit((x[:1400],)):
            pass
        torch.manual_seed(1)
        errors[noise] = (network.reconstruct(corrupted(x[1400:], "masking", 0.3)) - x[1400:]).square().sum().item()
    assert errors["masking"] < 0.7 * errors[None]


def test_inputs_that_cannot_be_reconstructed_are_refused() -> None:
    with pytest.raises(ValueError, match="between -1 and 2; scale them, or take output='identity'"):
        Autoencoder(3).objective((torch.tensor([[-1.0, 0.0, 2.0]]),))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "squared", "output": "relu"}, "loss and output must be .* but are squared of relu"),
        ({"loss": "cross-entropy", "output": "identity"}, "are cross-entropy of identity"),
        ({"noise": "maskin"}, "no noise 'maskin'; did you mean masking"),
        ({"noise": "masking", "noise_level": 1.5}, "noise_level must be a fraction"),
        ({"sparsity": 0.1}, "code_activation='sigmoid'"),
        ({"num_features": 0}, "at least one unit, but num_features is 0"),
        ({"encoder": "nature"}, "needs the option image_size"),
        ({"encoder": "nature", "image_size": (84, 84), "code_activation": "tanh"}, "needs num_features"),
        ({"encoder": "natur"}, "did you mean nature"),
        ({"hiden": (3,)}, "'mlp' has no option 'hiden'"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        create("autoencoder", in_channels=3, **options)
