"""Adversarial networks: losses by hand, whom gradients reach, optimal discriminators, turns, toys, and refusals."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from palestra.networks import create
from palestra.networks.fit import FitConfig, Learner
from palestra.networks.gan import GAN
from palestra.networks.pretrained import from_pretrained, save_pretrained

LOSSES = ("minimax", "non-saturating", "wasserstein")


def images(num: int, *shape: int) -> Tensor:
    return torch.randint(0, 256, (num, *shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def fitted(model: nn.Module, data: tuple[Tensor, ...], **options: Any) -> list[dict[str, float]]:
    config = FitConfig(**{"epochs": 1, "momentum": 0.5, "schedule": "cosine", "device": "cpu", **options})
    return [metrics for _, metrics in Learner(model, config).fit(data)]


class Coins(nn.Module):
    """A generator without weights: every `period`th sample is 1, the others are 0."""

    def __init__(self, period: int) -> None:
        super().__init__()
        self.period = period

    def forward(self, z: Tensor, label: Tensor | None) -> Tensor:
        return (torch.arange(len(z)) % self.period == 0).float()[:, None]


class Linear(nn.Module):
    """A discriminator whose score is a weighted sum."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, x: Tensor, label: Tensor | None) -> Tensor:
        return x.flatten(1) @ self.weight


@pytest.mark.parametrize(
    ("name", "in_channels", "options"),
    [
        ("gan", 6, {}),
        ("gan", 2, {"image_size": (9, 11)}),
        ("dcgan", 1, {}),
        ("dcgan", 2, {"image_size": (8, 64), "width": 4}),
        ("dcgan", 3, {"image_size": (30, 17), "width": 4}),
        ("dcgan", 3, {"image_size": (64, 64), "width": 2}),
        ("wgan-gp", 3, {"image_size": (13, 32), "width": 4}),
    ],
)
@pytest.mark.parametrize("num_classes", [None, 3])
def test_samples_losses_and_folders(
    name: str, in_channels: int, options: dict[str, Any], num_classes: int | None, tmp_path: Any
) -> None:
    torch.manual_seed(0)
    model = create(name, in_channels=in_channels, num_classes=num_classes, **options)
    assert model.shape == (in_channels, *options.get("image_size", () if name == "gan" else (28, 28)))
    label = None if num_classes is None else torch.tensor([0, 2, 1, 1])
    x = images(4, *model.shape) if model.input_rank == 3 else torch.rand(4, *model.shape)
    loss, metrics = model.objective((x, torch.tensor([0, 2, 1, 1])))
    assert loss.shape == (4,)
    assert set(metrics) == {"discriminator", "generator", "D(x)", "D(G(z))"}
    assert all(value.shape == (4,) and not value.requires_grad for value in metrics.values())
    sampled = model.sample(4, label, generator=torch.Generator().manual_seed(1))
    assert sampled.shape == (4, *model.shape)
    assert 0.0 <= sampled.min() <= sampled.max() <= 1.0
    loaded = from_pretrained(save_pretrained(model, tmp_path / "model"))
    assert torch.equal(loaded.sample(4, label, generator=torch.Generator().manual_seed(1)), sampled)
    assert torch.equal(loaded.eval().discriminate(x, label), model.discriminate(x, label))


@pytest.mark.parametrize("loss", LOSSES)
def test_losses_and_gradients_are_those_of_the_formulas(loss: str) -> None:
    # A discriminator of one weight w on data x and samples g, all known: value and both gradients by the chain rule.
    model = GAN(1, output="identity", loss=loss, hidden=(), num_latent=1, penalty=10.0)
    w, a, b = 0.7, 0.4, -0.3  # g = a z + b
    model.discriminator = Linear(torch.tensor([w]))
    with torch.no_grad():
        model.generator.layers[0].weight.fill_(a), model.generator.layers[0].bias.fill_(b)
    x = torch.tensor([[1.0], [2.5], [-0.5]])
    torch.manual_seed(3)
    losses, metrics = model.objective((x,))
    losses.sum().backward()
    torch.manual_seed(3)
    z = torch.randn(3, 1)
    g = a * z + b
    d_real, d_fake = torch.sigmoid(w * x), torch.sigmoid(w * g)
    if loss == "wasserstein":
        discriminator = w * g - w * x + 10.0 * (w - 1.0) ** 2
        of_w = (g - x).sum() + 3 * 20.0 * (w - 1.0)
        generator, slope = -w * g, torch.full_like(g, -w)
        d_real, d_fake = w * x, w * g
    else:
        discriminator = -d_real.log() - (1 - d_fake).log()
        of_w = (-(1 - d_real) * x + d_fake * g).sum()
        generator = (1 - d_fake).log() if loss == "minimax" else -d_fake.log()
        slope = -d_fake * w if loss == "minimax" else -(1 - d_fake) * w
    torch.testing.assert_close(losses, (discriminator + generator)[:, 0])
    torch.testing.assert_close(metrics["discriminator"], discriminator[:, 0])
    torch.testing.assert_close(metrics["generator"], generator[:, 0])
    torch.testing.assert_close(metrics["D(x)"], d_real[:, 0])
    torch.testing.assert_close(metrics["D(G(z))"], d_fake[:, 0])
    torch.testing.assert_close(model.discriminator.weight.grad, of_w[None])
    torch.testing.assert_close(model.generator.layers[0].weight.grad, (slope * z).sum()[None, None])
    torch.testing.assert_close(model.generator.layers[0].bias.grad, slope.sum()[None])


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("architecture", ["mlp", "convolutional"])
def test_each_network_has_the_gradients_of_its_own_loss(loss: str, architecture: str) -> None:
    # The other way to them: torch's gradients of each loss alone, with respect to its network's weights alone.
    torch.manual_seed(0)
    model = GAN(2, 3, loss=loss, architecture=architecture, image_size=(8, 9), width=4, hidden=(5,), penalty=0.0)
    x, label = images(6, 2, 8, 9), torch.tensor([0, 1, 2, 2, 1, 0])
    torch.manual_seed(1)
    model.objective((x, label))[0].sum().backward()
    torch.manual_seed(1)
    fake = model.pixels(model.generator(torch.randn(6, 64), label))
    real, fake = (model.discriminator(inputs, label) for inputs in (model.pixels(x), fake))
    of_d = fake - real if loss == "wasserstein" else -F.logsigmoid(real) - F.logsigmoid(-fake)
    of_g = {"minimax": F.logsigmoid(-fake), "non-saturating": -F.logsigmoid(fake), "wasserstein": -fake}[loss]
    for network, total in ((model.discriminator, of_d), (model.generator, of_g)):
        parameters = dict(network.named_parameters())
        expected = torch.autograd.grad(total.sum(), list(parameters.values()), retain_graph=True)
        for (name, parameter), gradient in zip(parameters.items(), expected, strict=True):
            torch.testing.assert_close(
                parameter.grad, gradient, rtol=1e-4, atol=1e-5, msg=lambda m, n=name: f"{n}: {m}"
            )


@pytest.mark.parametrize(("period", "of_data"), [(2, 0.3), (4, 0.6), (5, 0.2)])
def test_the_best_discriminator_of_two_points(period: int, of_data: float) -> None:
    # Goodfellow et al. 2014, proposition 1: D(x) = p_data(x) / (p_data(x) + p_g(x)), and at it the loss is
    # log 4 - 2 JSD; where both are equal, as in the last case, D is 1/2 and the loss log 4.
    torch.manual_seed(0)
    model = GAN(1, hidden=(8,))
    model.generator = Coins(period)
    x = (torch.arange(20) < 20 * of_data).float()[:, None]
    metrics = fitted(model, (x.repeat(10, 1)[torch.arange(200) % 20],), epochs=400, batch_size=200, learning_rate=0.03)
    p = torch.tensor([1 - of_data, of_data])
    g = torch.tensor([1 - 1 / period, 1 / period])
    torch.testing.assert_close(model.discriminate(torch.tensor([[0.0], [1.0]])), p / (p + g), atol=2e-3, rtol=0)
    mean = 0.5 * (p + g)
    divergence = 0.5 * (p * (p / mean).log()).sum() + 0.5 * (g * (g / mean).log()).sum()
    assert metrics[-1]["train/discriminator"] == pytest.approx(math.log(4) - 2 * divergence.item(), abs=1e-4)


def test_the_generators_weights_change_every_fifth_step() -> None:
    # Gulrajani et al. 2017, algorithm 1: the generator is updated after n_critic = 5 updates of the critic.
    torch.manual_seed(0)
    model = create("wgan-gp", in_channels=2, num_classes=2, architecture="mlp", image_size=None, hidden=(4,))
    data = torch.rand(60, 2), torch.arange(60) % 2
    weights, changed = [p.detach().clone() for p in model.parameters()], []
    for _ in Learner(model, FitConfig(epochs=1, batch_size=5, device="cpu")).fit(data):
        changed.append(_moved(model, weights))
        weights = [p.detach().clone() for p in model.parameters()]
    assert changed == [{"discriminator"} | ({"generator"} if i % 5 == 0 else set()) for i in range(1, 13)]
    model.zero_grad()
    model.turn.zero_()
    model.objective(data)[0].sum().backward()
    assert all(p.grad is None for p in model.generator.parameters())
    assert all(p.grad is not None for p in model.discriminator.parameters())
    model.eval()
    with torch.no_grad():
        loss, metrics = model.objective(data)
    assert int(model.turn) == 1  # measuring is no turn, and has both losses
    torch.testing.assert_close(loss, metrics["discriminator"] + metrics["generator"])


def _moved(model: nn.Module, before: list[Tensor]) -> set[str]:
    names = [name.split(".")[0] for name, _ in model.named_parameters()]
    return {n for n, p, b in zip(names, model.parameters(), before, strict=True) if not torch.equal(p, b)}


@pytest.mark.parametrize("name", ["dcgan", "wgan-gp"])
def test_a_fit_that_is_restored_goes_on_to_the_same_bits(name: str) -> None:
    data = images(48, 1, 8, 8), torch.arange(48) % 3
    config = FitConfig(epochs=1, batch_size=4, device="cpu")

    def learner() -> Learner:
        torch.manual_seed(0)
        return Learner(create(name, in_channels=1, num_classes=3, image_size=(8, 8), width=4), config)

    whole, part, rest = learner(), learner(), learner()
    for _ in whole.fit(data):
        pass
    for step, _ in part.fit(data):
        if step == 7:
            break
    rest.restore(part.state())
    for _ in rest.fit(data):
        pass
    expected, got = whole.state()["network"], rest.state()["network"]
    assert all(torch.equal(got[key], value) for key, value in expected.items())


def test_statistics_are_of_training_alone() -> None:
    # Samples and judgements do not depend on the others of their batch, and leave mode and statistics as they are.
    torch.manual_seed(0)
    model = create("dcgan", in_channels=1, image_size=(8, 8), width=4)
    x = images(5, 1, 8, 8)
    z = torch.randn(5, 64, generator=torch.Generator().manual_seed(0))
    before = {name: value.clone() for name, value in model.named_buffers()}
    torch.testing.assert_close(model.decode(z)[:2], model.decode(z[:2]))
    torch.testing.assert_close(model.discriminate(x)[:2], model.discriminate(x[:2]))
    assert model.generator.training
    assert model.discriminator.training
    assert all(torch.equal(value, before[name]) for name, value in model.named_buffers())
    assert model.decode(z).std() > 0
    drawn = model.sample(2000, generator=torch.Generator().manual_seed(5))  # more than are drawn at a time
    same = torch.randn(2000, 64, generator=torch.Generator().manual_seed(5))
    torch.testing.assert_close(drawn, model.decode(same).detach())


def test_the_discriminators_statistics_are_those_of_its_own_two_batches() -> None:
    # Batch normalisation counts its batches: one of data and one of samples a step, none for the generator's loss.
    model = create("dcgan", in_channels=1, image_size=(16, 16), width=4)
    model.objective((images(5, 1, 16, 16),))
    counts = [int(v) for name, v in model.discriminator.named_buffers() if name.endswith("num_batches_tracked")]
    assert counts == [2]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_a_normal_distribution_on_the_line_is_learnt(seed: int) -> None:
    # Goodfellow et al. 2014, theorem 1: at the end p_g = p_data, here N(1, 0.5^2), and D = 1/2 within two deviations.
    torch.manual_seed(seed)
    model = GAN(1, output="identity", num_latent=4, hidden=(64, 64), num_critic=5)
    x = 1.0 + 0.5 * torch.randn(2000 * 256, 1)
    fitted(model, (x,), batch_size=256, learning_rate=2e-3, seed=seed)
    sampled = model.sample(20_000, generator=torch.Generator().manual_seed(0))
    assert sampled.mean().item() == pytest.approx(1.0, abs=0.05)
    assert sampled.std().item() == pytest.approx(0.5, abs=0.05)
    judged = model.discriminate(torch.linspace(0.0, 2.0, 41)[:, None])
    assert (judged - 0.5).abs().max() < 0.06


@pytest.mark.slow
def test_all_modes_on_a_ring_are_covered() -> None:
    # Eight normals of deviation 0.1 at distance 2: each has 1/8 of the data, 98.9 % within 3 deviations. Even samples
    # on the square around the ring would have 0.0133 there; a generator that collapses leaves some modes out.
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    angles = 2 * math.pi / 8 * torch.arange(8)
    centres = 2.0 * torch.stack((angles.cos(), angles.sin()), dim=1)
    which = torch.randint(8, (1600 * 256,), generator=generator)
    x = centres[which] + 0.1 * torch.randn(len(which), 2, generator=generator)
    options: dict[str, Any] = {"architecture": "mlp", "image_size": None, "output": "identity", "penalty": 1.0}
    model = create("wgan-gp", in_channels=2, num_latent=4, hidden=(64, 64), **options)
    fitted(model, (x,), batch_size=256, learning_rate=2e-3, momentum=0.0)
    distance = torch.cdist(model.sample(4000, generator=generator), centres)
    shares = (distance < 0.3).float().mean(dim=0)
    assert shares.min() > 0.02


@pytest.mark.slow
def test_samples_follow_their_class() -> None:
    # Two classes at -1 and 1, of deviation 0.2: a normal lies on its own side but for one in 3.5 million.
    torch.manual_seed(0)
    label = torch.arange(1000 * 128) % 2
    x = 2.0 * label[:, None] - 1.0 + 0.2 * torch.randn(len(label), 1)
    model = GAN(1, 2, output="identity", num_latent=4, hidden=(32, 32), num_critic=5)
    fitted(model, (x, label), batch_size=128, learning_rate=2e-3)
    wanted = torch.arange(2000) % 2
    sampled = model.sample(2000, wanted, generator=torch.Generator().manual_seed(0))[:, 0]
    assert ((sampled > 0) == (wanted == 1)).float().mean() > 0.99
    for k in (0, 1):
        assert sampled[wanted == k].mean().item() == pytest.approx(2.0 * k - 1.0, abs=0.1)


def test_real_numbers_and_levels() -> None:
    # Bytes, floats of them and int64 levels are the same samples.
    model = GAN(3)
    x = images(4, 3)
    torch.testing.assert_close(model.discriminate(x), model.discriminate(x.float() / 255))
    torch.testing.assert_close(model.discriminate(x), model.discriminate(x.long()))
    assert model.levels == 256
    real = GAN(3, output="identity")
    assert real.levels == 0
    assert torch.isfinite(real.objective((1e3 * torch.randn(4, 3),))[0]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "wassersten"}, "no loss 'wassersten'; did you mean wasserstein"),
        ({"output": "tanh"}, "no output 'tanh'"),
        ({"architecture": "convolution"}, "did you mean convolutional"),
        ({"num_latent": 0}, "num_latent 0"),
        ({"num_critic": 0}, "num_critic 0"),
        ({"hidden": (3, 0)}, r"hidden \(3, 0\)"),
        ({"penalty": -1.0}, "penalty not negative, .* penalty -1.0"),
        ({"num_classes": 0}, "num_classes 0"),
        ({"architecture": "convolutional"}, r"of 8 to 64 pixels a side, but samples are \[3\]"),
        ({"architecture": "convolutional", "image_size": (7, 8)}, r"samples are \[3, 7, 8\]"),
        ({"architecture": "convolutional", "image_size": (8, 65)}, r"samples are \[3, 8, 65\]"),
        ({"hiden": (3,)}, "'gan' has no option 'hiden'"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        create("gan", in_channels=3, **options)


def test_wrong_samples_and_labels_are_refused() -> None:
    plain, classes = create("gan", in_channels=3), create("gan", in_channels=3, num_classes=2)
    for call, message in (
        (lambda: plain.objective((torch.zeros(2, 4),)), r"takes samples \['B', 3\], but was given \[2, 4\]"),
        (lambda: plain.objective((torch.full((2, 3), 1.5),)), "floats lie from 0 to 1, but one is 1.5"),
        (lambda: plain.discriminate(torch.zeros(3)), r"was given \[3\]"),
        (lambda: plain.decode(torch.zeros(2, 3)), r"takes samples \['B', 64\], but was given \[2, 3\]"),
        (lambda: plain.sample(0), "0 samples were asked for"),
        (lambda: plain.sample(2, torch.tensor([0, 1])), "nothing to condition on"),
        (lambda: classes.sample(2), "a label, an integer, for each of 2 samples, but was given none"),
        (lambda: classes.sample(2, torch.tensor([0, 2])), "labels lie from 0 to 1, but one is 2"),
        (lambda: classes.objective((torch.zeros(2, 3),)), "was given none"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
