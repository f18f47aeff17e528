"""What adversarial networks consist of: DCGAN's layers by the paper, and gradient penalties by closed forms."""

import math

import pytest
import torch
from torch import nn

from palestra.networks import create
from palestra.networks.gan import GAN
from palestra.networks.gan_networks import gradient_penalty


def test_dcgan_is_built_by_its_rules_of_thumb() -> None:
    # Radford et al. 2016, figure 1 and section 3: 1024 maps of 4 x 4, then 512, 256, 128 and the image of 64 x 64.
    model = create("dcgan", in_channels=3, image_size=(64, 64), width=128)
    up = [m.weight.shape[:2] for m in model.generator.modules() if isinstance(m, nn.ConvTranspose2d)]
    down = [m.weight.shape[:2] for m in model.discriminator.modules() if isinstance(m, nn.Conv2d)]
    assert up == [(1024, 512), (512, 256), (256, 128), (128, 3)]
    assert down == [(128, 3), (256, 128), (512, 256), (1024, 512)]
    count = lambda network, kind: sum(isinstance(m, kind) for m in network.modules())  # noqa: E731
    assert count(model.generator, nn.BatchNorm2d) == 4
    assert count(model.discriminator, nn.BatchNorm2d) == 3
    assert {m.negative_slope for m in model.discriminator.modules() if isinstance(m, nn.LeakyReLU)} == {0.2}
    weights = torch.cat([p.flatten() for name, p in model.named_parameters() if p.dim() == 4])
    assert weights.std().item() == pytest.approx(0.02, rel=1e-3)  # 5 million numbers: a standard error of 3e-4
    critic = create("wgan-gp", in_channels=3, image_size=(64, 64), width=4)
    assert count(critic.discriminator, nn.BatchNorm2d) == 0
    assert count(critic.generator, nn.BatchNorm2d) == 4
    assert dict(GAN.fit_defaults) == {"learning_rate": 2e-4, "momentum": 0.5}


def test_gradient_penalty_of_a_linear_critic() -> None:
    # The gradient of w.x is w everywhere, so the penalty is (|w| - 1)^2: |(3, 4)| = 5 gives 16.
    real, fake = torch.randn(7, 2, generator=torch.Generator().manual_seed(0)), torch.zeros(7, 2)
    weight = torch.tensor([3.0, 4.0], requires_grad=True)
    penalty = gradient_penalty(lambda x: x @ weight, real, fake)
    torch.testing.assert_close(penalty, torch.full((7,), 16.0))
    (gradient,) = torch.autograd.grad(penalty.sum(), weight)  # 2 (|w| - 1) w / |w| a sample
    torch.testing.assert_close(gradient, 7 * 2 * 4.0 * weight.detach() / 5.0)
    (gradient,) = torch.autograd.grad(gradient_penalty(lambda x: x @ (0 * weight), real, fake).sum(), weight)
    assert torch.isfinite(gradient).all()
    with torch.no_grad():
        torch.testing.assert_close(gradient_penalty(lambda x: x @ weight, real, fake), torch.full((7,), 16.0))


def test_gradient_penalty_is_taken_evenly_between_data_and_samples() -> None:
    # The gradient of x^2 / 2 is x, which is even in (0, 1): the mean of (x - 1)^2 is 1/3, that of its square 1/5.
    torch.manual_seed(0)
    penalty = gradient_penalty(lambda x: 0.5 * x[:, 0].square(), torch.ones(20_000, 1), torch.zeros(20_000, 1))
    error = math.sqrt((1 / 5 - 1 / 9) / 20_000)
    assert penalty.mean().item() == pytest.approx(1 / 3, abs=4 * error)
