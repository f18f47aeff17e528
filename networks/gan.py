"""Generative adversarial networks: the first one, DCGAN and WGAN-GP are options of one class.

They are implicit models, which can be sampled, but say nothing of a sample's probability.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.func import functional_call

from palestra.networks.chance import normal
from palestra.networks.density import as_floats, as_levels, checked_condition, checked_request, checked_shape, device_of
from palestra.networks.gan_networks import (
    GENERATOR_LOSSES,
    Discriminator,
    convolutional,
    discriminator_loss,
    gradient_penalty,
    mlps,
)
from palestra.networks.names import named
from palestra.networks.objectives import Losses
from palestra.networks.pixels import Pixels
from palestra.networks.stages import name_of

ARCHITECTURES = {"mlp": "fully connected layers", "convolutional": "strided convolutions"}
OUTPUTS = {"sigmoid": 256, "identity": 0}  # levels of their numbers: bytes, or any real numbers
CHUNK = 1024  # samples that are drawn at a time


class GAN(nn.Module):
    """A generator that turns noise into samples, and a discriminator that tells them from data.

    Goodfellow et al., "Generative adversarial nets" (2014); with architecture="convolutional" DCGAN: Radford, Metz and
    Chintala, "Unsupervised representation learning with deep convolutional generative adversarial networks" (2016);
    with loss="wasserstein" WGAN-GP: Gulrajani et al., "Improved training of Wasserstein GANs" (2017), whose critic is
    lowered `num_critic` = 5 times for each time of the generator's, with `penalty` times its gradient penalty. Where
    they take turns we make simultaneous steps of gradient descent: both networks move from the same weights. By the
    name wgan-gp it is fitted with Adam's first beta 0 and step size 1e-4, as there; the second stays 0.999, not 0.9.

    Samples are vectors of `in_channels` numbers, or images with `image_size`. They are in [0, 1] with output="sigmoid",
    which is DCGAN's tanh but for scale, and any real numbers with output="identity", where `levels` is 0. `loss` is
    minimax, non-saturating or wasserstein. `hidden` are the units of the discriminator's fully connected layers,
    `width` the maps of its first convolution.

    Raises:
        ValueError: an option is unknown or out of range, or does not go with another.
    """

    input_rank: int = 3  # 1 without image_size
    fit_defaults: ClassVar[Mapping[str, Any]] = MappingProxyType({"learning_rate": 2e-4, "momentum": 0.5})
    turn: Tensor

    def __init__(
        self,
        in_channels: int,
        num_classes: int | None = None,
        *,
        architecture: str = "mlp",
        loss: str = "non-saturating",
        output: str = "sigmoid",
        num_latent: int = 64,
        hidden: Sequence[int] = (128, 128),
        width: int = 64,
        num_critic: int = 1,
        penalty: float = 10.0,
        image_size: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        self.shape = (in_channels, *(image_size or ()))
        named(architecture, ARCHITECTURES, "architecture")
        named(loss, GENERATOR_LOSSES, "loss")
        self.levels: int = named(output, OUTPUTS, "output")
        if min(*self.shape, num_latent, width, num_critic, *hidden) < 1 or num_classes == 0 or penalty < 0:
            raise ValueError(
                f"sizes must be at least 1 and the penalty not negative, but in_channels is {in_channels}, image_size "
                f"{image_size}, num_classes {num_classes}, num_latent {num_latent}, hidden {hidden}, width {width}, "
                f"num_critic {num_critic} and penalty {penalty}"
            )
        sizes = self.shape, num_latent, num_classes
        self.generator, self.discriminator = (
            mlps(*sizes, hidden, output)
            if architecture == "mlp"
            else convolutional(*sizes, width, output, critic=loss == "wasserstein")
        )
        self.pixels = Pixels()
        if image_size and output == "sigmoid":
            self.pixels.normalize([0.5] * in_channels, [0.5] * in_channels)
        self.register_buffer("turn", torch.zeros((), dtype=torch.int64))  # calls of `objective` in training
        self.input_rank = len(self.shape)
        self.num_classes, self.num_latent = num_classes, num_latent
        self.loss, self.num_critic, self.penalty = loss, num_critic, penalty

    def objective(self, batch: Sequence[Tensor]) -> Losses:
        """Returns losses `[B]` and metrics `[B]` of a batch `(x,)` or `(x, label)`.

        It is the sum of both networks' losses, whose gradients reach the discriminator from its own and the generator
        from its own. In training, but for every `num_critic`th call, the generator's is left out, so that it has no
        gradients and an optimiser leaves it alone; a fit must not accumulate gradients over calls then.

        Raises:
            ValueError: `x` or the labels are not what the model takes.
        """
        x, label = self._inputs(batch[0], batch[1] if self.num_classes is not None and len(batch) > 1 else None)
        both = self._is_turn_of_both()
        z = torch.randn(len(x), self.num_latent, dtype=x.dtype, device=x.device)
        with nullcontext() if both else torch.no_grad():
            fake = self.pixels(self.generator(z, label))
        real_score, fake_score = self.discriminator(x, label), self.discriminator(fake.detach(), label)
        loss = discriminator_loss(self.loss, real_score, fake_score)
        if self.loss == "wasserstein" and self.penalty:
            critic = partial(self.discriminator, label=label)
            loss = loss + self.penalty * gradient_penalty(critic, x, fake)
        metrics = {
            "discriminator": loss.detach(),
            "generator": GENERATOR_LOSSES[self.loss](fake_score.detach()),
            "D(x)": self._judgement(real_score.detach()),
            "D(G(z))": self._judgement(fake_score.detach()),
        }
        if both:
            loss = loss + GENERATOR_LOSSES[self.loss](_held(self.discriminator, fake, label))
        return loss, metrics

    @torch.no_grad()
    def sample(self, n: int, condition: Tensor | None = None, *, generator: torch.Generator | None = None) -> Tensor:
        """Draws samples `[n, *shape]`, of labels `[n]` where there are classes.

        Raises:
            ValueError: there are none, too many, or the labels are not what the model takes.
        """
        checked_request(n, self.shape)
        label = checked_condition(self, condition, n)
        z = normal((n, self.num_latent), device_of(self), generator)
        parts = [slice(i, i + CHUNK) for i in range(0, n, CHUNK)]
        return torch.cat([self._decoded(z[part], None if label is None else label[part]) for part in parts])

    def decode(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Maps latent variables `[B, num_latent]`, and labels `[B]` where there are classes, to samples `[B, *shape]`.

        Batch normalisation has its running statistics, so that a sample does not depend on the others.

        Raises:
            ValueError: `z` or the labels are not what the model takes.
        """
        checked_shape(z, (self.num_latent,), name_of(self))
        return self._decoded(z, checked_condition(self, condition, len(z)))

    def discriminate(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Returns the probability that samples `[B, *shape]` are data, or a critic's score, `[B]`.

        Batch normalisation has its running statistics, which are of data and the generator's samples together.

        Raises:
            ValueError: `x` or the labels are not what the model takes.
        """
        x, label = self._inputs(x, condition)
        with _evaluated(self.discriminator):
            return self._judgement(self.discriminator(x, label))

    def _inputs(self, x: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Returns samples as the discriminator takes them, and their labels."""
        checked_shape(x, self.shape, name_of(self))
        label = checked_condition(self, condition, len(x))
        if self.levels:
            levels = as_levels(x, self.levels)
            x = x if x.is_floating_point() else as_floats(levels, self.levels)
        return self.pixels(x.to(next(self.parameters()))), label

    def _decoded(self, z: Tensor, label: Tensor | None) -> Tensor:
        weight = next(self.generator.parameters())
        with _evaluated(self.generator):
            return self.generator(z.to(weight), label)  # type: ignore[no-any-return]

    def _is_turn_of_both(self) -> bool:
        """Returns whether the generator's loss counts too, and in training counts the call."""
        if not self.training or self.num_critic == 1:
            return True
        self.turn += 1
        return int(self.turn) % self.num_critic == 0

    def _judgement(self, score: Tensor) -> Tensor:
        return score if self.loss == "wasserstein" else torch.sigmoid(score)


def _held(discriminator: Discriminator, x: Tensor, label: Tensor | None) -> Tensor:
    """Returns the outputs `[B]` of a discriminator whose parameters and statistics are constants here."""
    constants = {name: value.detach() for name, value in discriminator.named_parameters()}
    copies = {name: value.clone() for name, value in discriminator.named_buffers()}
    return functional_call(discriminator, constants | copies, (x, label))  # type: ignore[no-any-return]


@contextmanager
def _evaluated(network: nn.Module) -> Iterator[None]:
    """Puts a network in evaluation mode for a while."""
    training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(training)
