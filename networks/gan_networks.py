"""The two networks of a generative adversarial network, fully connected or convolutional, and what each one lowers.

Both may be conditioned on classes: a table of learnt numbers for each label is put beside the latent variables, and
beside the sample, as one more channel where it is an image (Mirza and Osindero, "Conditional generative adversarial
nets", 2014, section 3.2; theirs join them after a layer of each).
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from palestra.networks.activations import activation_named
from palestra.networks.autoencoder import Crop

SLOPE = 0.2  # of LeakyReLU below zero, Radford et al. 2016, section 3
SPREAD = 0.02  # of the first weights, section 4
SIDES = 8, 64  # pixels of images that the convolutions are for


class Generator(nn.Module):
    """Maps latent variables `[B, num_latent]`, and labels `[B]` where there are classes, to samples `[B, *shape]`."""

    def __init__(self, layers: nn.Module, num_latent: int, num_classes: int | None) -> None:
        super().__init__()
        self.embedding = None if num_classes is None else nn.Embedding(num_classes, num_latent)
        self.layers = layers

    def forward(self, z: Tensor, label: Tensor | None) -> Tensor:
        """Maps `[B, num_latent]` and `[B]` to `[B, *shape]`."""
        if self.embedding is not None:
            z = torch.cat((z, self.embedding(label)), dim=1)
        return self.layers(z)  # type: ignore[no-any-return]


class Discriminator(nn.Module):
    """Maps samples `[B, *shape]`, and labels `[B]` where there are classes, to logits, or a critic's scores, `[B]`."""

    def __init__(self, layers: nn.Module, beside: Sequence[int], num_classes: int | None) -> None:
        super().__init__()
        self.embedding = None if num_classes is None else nn.Embedding(num_classes, math.prod(beside))
        self.beside = tuple(beside)
        self.layers = layers

    def forward(self, x: Tensor, label: Tensor | None) -> Tensor:
        """Maps `[B, *shape]` and `[B]` to `[B]`."""
        if self.embedding is not None:
            x = torch.cat((x, self.embedding(label).unflatten(1, self.beside)), dim=1)
        return self.layers(x)[:, 0]  # type: ignore[no-any-return]


def mlps(
    shape: Sequence[int], num_latent: int, num_classes: int | None, hidden: Sequence[int], output: str
) -> tuple[Generator, Discriminator]:
    """Returns two networks of fully connected layers, the generator's in reverse order, on samples of a shape.

    Goodfellow et al. 2014, section 5, whose discriminator has maxout units and dropout where this one has LeakyReLU.
    """
    beside = (1, *shape[1:]) if len(shape) == 3 else (num_latent,)
    classes = num_classes is not None
    layers: list[nn.Module] = []
    for num_in, num_out in pairwise((num_latent * (1 + classes), *reversed(hidden))):
        layers += [nn.Linear(num_in, num_out), nn.ReLU()]
    last = hidden[0] if hidden else num_latent * (1 + classes)
    layers += [nn.Linear(last, math.prod(shape)), nn.Unflatten(1, tuple(shape)), activation_named(output)]
    generator = Generator(nn.Sequential(*layers), num_latent, num_classes)
    layers = [nn.Flatten()]
    sizes = (math.prod(shape) + classes * math.prod(beside), *hidden)
    for num_in, num_out in pairwise(sizes):
        layers += [nn.Linear(num_in, num_out), nn.LeakyReLU(SLOPE)]
    return generator, Discriminator(nn.Sequential(*layers, nn.Linear(sizes[-1], 1)), beside, num_classes)


def convolutional(
    shape: Sequence[int], num_latent: int, num_classes: int | None, width: int, output: str, critic: bool
) -> tuple[Generator, Discriminator]:
    """Returns two networks of strided convolutions on images `[C, H, W]`.

    Radford et al. 2016, section 3: no pooling, no hidden fully connected layer, batch normalisation but in the
    generator's last and the discriminator's first layer, ReLU and LeakyReLU, N(0, 0.02) weights. Kernels are 4 x 4, not
    5 x 5. Images are halved, and doubled, as long as 4 pixels are left; what the last doubling has too much is cropped.
    A critic has no batch normalisation, which would make a sample's gradient depend on the others (Gulrajani et al.
    2017, section 4), and with it N(0, 0.02) would be too small: both networks then begin as torch has it.

    Raises:
        ValueError: the images are too small or too large.
    """
    if len(shape) != 3 or not SIDES[0] <= min(shape[1:]) <= max(shape[1:]) <= SIDES[1]:
        raise ValueError(
            f"the convolutions are for images [C, H, W] of {SIDES[0]} to {SIDES[1]} pixels a side, but samples are "
            f"{list(shape)}; image_size=(H, W) says the size"
        )
    num_blocks = int(math.log2(min(shape[1:]) / 4))
    widths = [width * 2**i for i in range(num_blocks)]
    generator = Generator(_upwards(shape, num_latent, num_classes, widths, output), num_latent, num_classes)
    downwards = _downwards(shape, num_classes, widths, batch_norm=not critic)
    discriminator = Discriminator(downwards, (1, *shape[1:]), num_classes)
    if not critic:
        for network in (generator, discriminator):
            _draw(network.layers)
    return generator, discriminator


def _upwards(
    shape: Sequence[int], num_latent: int, num_classes: int | None, widths: Sequence[int], output: str
) -> nn.Module:
    """Returns the layers from latent variables to images; `widths` are the maps from the image backwards."""
    (channels, height, width), top = shape, widths[-1]
    rows, columns = (math.ceil(side / 2 ** len(widths)) for side in (height, width))
    layers: list[nn.Module] = [
        nn.Linear(num_latent * (1 if num_classes is None else 2), top * rows * columns, bias=False),
        nn.Unflatten(1, (top, rows, columns)),
        nn.BatchNorm2d(top),
        nn.ReLU(),
    ]
    for num_in, num_out in pairwise(reversed(widths)):
        layers += [_doubling(num_in, num_out, bias=False), nn.BatchNorm2d(num_out), nn.ReLU()]
    return nn.Sequential(*layers, _doubling(widths[0], channels), Crop(height, width), activation_named(output))


def _doubling(num_in: int, num_out: int, bias: bool = True) -> nn.Module:
    return nn.ConvTranspose2d(num_in, num_out, 4, stride=2, padding=1, bias=bias)


def _downwards(shape: Sequence[int], num_classes: int | None, widths: Sequence[int], batch_norm: bool) -> nn.Module:
    """Returns the layers from images to one number."""
    channels, height, width = shape
    layers: list[nn.Module] = []
    for i, (num_in, num_out) in enumerate(pairwise((channels + (num_classes is not None), *widths))):
        norm = batch_norm and i > 0
        layers += [nn.Conv2d(num_in, num_out, 4, stride=2, padding=1, bias=not norm)]
        layers += [nn.BatchNorm2d(num_out)] if norm else []
        layers += [nn.LeakyReLU(SLOPE)]
    rows, columns = (side >> len(widths) for side in (height, width))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(widths[-1] * rows * columns, 1))


def _draw(network: nn.Module) -> None:
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, std=SPREAD)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def discriminator_loss(loss: str, real: Tensor, fake: Tensor) -> Tensor:
    """Returns what the discriminator lowers, `[B]`, from its outputs `[B]` on data and on the generator's samples.

    That is -log D(x) - log(1 - D(G(z))) with logits, or f(G(z)) - f(x) with the scores of the loss wasserstein.
    """
    return fake - real if loss == "wasserstein" else F.softplus(-real) + F.softplus(fake)


GENERATOR_LOSSES: dict[str, Callable[[Tensor], Tensor]] = {  # of the discriminator's outputs `[B]` on samples
    "minimax": lambda fake: -F.softplus(fake),  # log(1 - D(G(z))), Goodfellow et al. 2014, equation 1
    "non-saturating": lambda fake: F.softplus(-fake),  # -log D(G(z)), the end of their section 3
    "wasserstein": lambda fake: -fake,  # Arjovsky et al. 2017, theorem 3
}


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """Returns (|gradient of the critic| - 1)^2, `[B]`, at points drawn evenly between data and samples `[B, *shape]`.

    Gulrajani et al., "Improved training of Wasserstein GANs" (2017), algorithm 1.
    """
    with torch.enable_grad():  # also where the loss is only measured
        mix = torch.rand(len(real), *[1] * (real.dim() - 1), device=real.device, dtype=real.dtype)
        between = (mix * real + (1.0 - mix) * fake).detach().requires_grad_()
        gradient: Tensor = torch.autograd.grad(critic(between).sum(), between, create_graph=True)[0]
        return (gradient.flatten(1).norm(dim=1) - 1.0).square()  # type: ignore[no-any-return]
