"""Autoencoders: fully connected, sparse, denoising and convolutional ones are options of one class.

As any network an autoencoder gives features, its code, or classes by a linear layer on the code; so one that was
fitted without labels is fine-tuned, probed and handed to an agent as every other. `reconstruct` gives the rest.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from palestra.networks import create
from palestra.networks.activations import activation_named
from palestra.networks.initialisation import initialise
from palestra.networks.names import named
from palestra.networks.objectives import Losses, supervised
from palestra.networks.pixels import PIXEL_SCALE, Pixels
from palestra.networks.stages import stages_of


def _masked(x: Tensor, level: float) -> Tensor:
    return x * (torch.rand_like(x) >= level)


def _gaussian(x: Tensor, level: float) -> Tensor:
    return x + level * torch.randn_like(x)


def _salt_and_pepper(x: Tensor, level: float) -> Tensor:
    draw = torch.rand_like(x)
    return torch.where(draw < level, (draw < 0.5 * level).to(x.dtype), x)


NOISES: dict[str, Callable[[Tensor, float], Tensor]] = {  # Vincent et al. 2010, section 3.3
    "masking": _masked,  # a fraction of the numbers becomes 0
    "gaussian": _gaussian,  # of this standard deviation
    "salt-and-pepper": _salt_and_pepper,  # a fraction becomes 0 or 1, with even chances
}


def corrupted(x: Tensor, noise: str, level: float) -> Tensor:
    """Returns `x`, floats of any shape, with noise of a name of `NOISES`, drawn from torch's global generator.

    Raises:
        ValueError: there is no such noise.
    """
    return named(noise, NOISES, "noise")(x, level)  # type: ignore[no-any-return]


def kl_sparsity(code: Tensor, target: float) -> Tensor:
    """Returns the sum over units of KL(target || mean activation), a number, for a code `[B, F]` in (0, 1).

    Ng, "Sparse autoencoder", CS294A lecture notes (2011), section 3; the mean is that of the batch.
    """
    mean = code.mean(dim=0).clamp(1e-6, 1.0 - 1e-6)
    on = target * torch.log(target / mean)
    return (on + (1.0 - target) * torch.log((1.0 - target) / (1.0 - mean))).sum()


def _cross_entropy(output: Tensor, x: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(output, x, reduction="none").flatten(1).sum(dim=1)


def _squared(output: Tensor, x: Tensor) -> Tensor:
    return (torch.sigmoid(output) - x).square().flatten(1).sum(dim=1)


def _squared_linear(output: Tensor, x: Tensor) -> Tensor:
    return (output - x).square().flatten(1).sum(dim=1)


RECONSTRUCTION = {  # by loss and output, from outputs before their activation
    ("cross-entropy", "sigmoid"): _cross_entropy,
    ("squared", "sigmoid"): _squared,
    ("squared", "identity"): _squared_linear,
}


class Autoencoder(nn.Module):
    """An encoder to a code `[B, num_features]`, a decoder back, and, if wanted, a linear layer from code to classes.

    Hinton and Salakhutdinov, "Reducing the dimensionality of data with neural networks", Science 313 (2006). The
    encoder is a network of its own, made by `create`: the mlp with the layers `hidden` and the code, 32 units by
    default, which the decoder mirrors; or, by name, one on images whose features are the code, or `num_features`
    weighted sums of them, with a decoder of transposed convolutions. `encoder_options` are the encoder's.

    It takes images with `image_size` and vectors without. Reconstructions are in [0, 1], where bytes lie when scaled,
    unless `output` is identity. `loss` is cross-entropy (of each number as a probability) or squared, summed over
    pixels. With `noise` what it reconstructs is corrupted first, in training (Vincent et al. 2008). With `sparsity`,
    the mean activation that units should have, `sparsity_weight` times `kl_sparsity` is added to the loss (Ng 2011).

    Raises:
        ValueError: an option is unknown or out of range, or does not go with another.
    """

    input_rank: int = 3  # 1 without image_size
    heads: ClassVar[tuple[str, ...]] = ("head",)

    def __init__(
        self,
        in_channels: int,
        num_classes: int | None = None,
        *,
        encoder: str = "mlp",
        num_features: int | None = None,
        hidden: Sequence[int] = (256,),
        activation: str = "relu",
        code_activation: str = "identity",
        output: str = "sigmoid",
        loss: str = "cross-entropy",
        noise: str | None = None,
        noise_level: float = 0.3,
        sparsity: float | None = None,
        sparsity_weight: float = 3.0,
        initialisation: str = "default",
        image_size: Sequence[int] | None = None,
        **encoder_options: Any,
    ) -> None:
        super().__init__()
        if num_features is not None and num_features < 1:
            raise ValueError(f"the code must have at least one unit, but num_features is {num_features}")
        _check_losses(loss, output, noise, noise_level)
        if sparsity is not None and not (0.0 < sparsity < 1.0 and code_activation == "sigmoid"):
            raise ValueError(
                f"sparsity must lie between 0 and 1, with code_activation='sigmoid', but is {sparsity} "
                f"with {code_activation!r}"
            )
        shape = (in_channels, *(image_size or ()))
        if image_size:
            encoder_options["image_size"] = shape[1:]
        if encoder == "mlp":
            layers = {"hidden": (*hidden, num_features or 32), "activation": activation}
            encoder_options |= {**layers, "last_activation": code_activation}
        self.encoder = create(encoder, in_channels=in_channels, **encoder_options)
        width = int(self.encoder.num_features)  # type: ignore[arg-type]
        self.num_features = num_features or width
        if encoder == "mlp":
            self.code: nn.Module = nn.Identity()
            self.decoder = mirrored(shape, (*hidden, self.num_features), activation)
        else:
            self.code = _code(width, num_features, code_activation)
            self.decoder = deconvolutions(self.num_features, shape)
        self.head = nn.Identity() if num_classes is None else nn.Linear(self.num_features, num_classes)
        self.pixels = EncoderPixels(self.encoder)
        own = () if isinstance(self.code, nn.Identity) else ("code",)
        self.stages = (*(f"encoder.{stage}" for stage in stages_of(self.encoder)), *own)
        self.input_rank = len(shape)
        self.output = activation_named(output)
        self.reconstruction_loss = RECONSTRUCTION[loss, output]
        self.noise, self.noise_level = noise, noise_level
        self.sparsity, self.sparsity_weight = sparsity, sparsity_weight
        if initialisation != "default":
            initialise(self, initialisation)

    def encode(self, x: Tensor) -> Tensor:
        """Maps inputs `[B, ...]`, bytes or floats in [0, 1] where they are images, to codes `[B, num_features]`."""
        return self.code(self.encoder(x))  # type: ignore[no-any-return]

    def decode(self, code: Tensor) -> Tensor:
        """Maps codes `[B, num_features]` to what `encode` takes, as floats."""
        return self.output(self.decoder(code))  # type: ignore[no-any-return]

    def reconstruct(self, x: Tensor) -> Tensor:
        """Returns `decode(encode(x))`, `[B, ...]`."""
        return self.decode(self.encode(x))

    def forward(self, x: Tensor) -> Tensor:
        """Maps inputs `[B, ...]` to classes `[B, num_classes]`, or to their codes where there are no classes."""
        return self.head(self.encode(x))  # type: ignore[no-any-return]

    def objective(self, batch: Sequence[Tensor]) -> Losses:
        """Returns losses `[B]` and metrics `[B]` of a batch `(x,)` or `(x, label)`.

        It is the reconstruction's loss, with its penalty, or, where there are classes, the labels' cross-entropy.

        Raises:
            ValueError: there are classes but no labels, or `x` is not in [0, 1] where reconstructions are.
        """
        if not isinstance(self.head, nn.Identity):
            return supervised("cross-entropy")(self, tuple(batch))
        x = self.target(batch[0])
        code = self.encode(corrupted(x, self.noise, self.noise_level) if self.noise and self.training else x)
        loss = self.reconstruction_loss(self.decoder(code), x)
        metrics = {"reconstruction": loss.detach()}
        if self.sparsity is not None:
            penalty = kl_sparsity(code, self.sparsity)
            loss = loss + self.sparsity_weight * penalty
            metrics["sparsity"] = penalty.detach().expand(len(x))
        return loss, metrics

    def target(self, x: Tensor) -> Tensor:
        """Returns inputs `[B, ...]` as the floats that are to be reconstructed.

        Raises:
            ValueError: they are not in [0, 1] where reconstructions are.
        """
        if x.dtype == torch.uint8 and self.input_rank == 3:
            return torch.mul(x, PIXEL_SCALE)
        x = x.to(next(self.parameters()).dtype)
        if not isinstance(self.output, nn.Identity) and not bool(((x >= 0) & (x <= 1)).all()):
            raise ValueError(
                f"reconstructions are in [0, 1], but inputs are between {float(x.min()):g} and {float(x.max()):g}; "
                f"scale them, or take output='identity' and loss='squared'"
            )
        return x


class EncoderPixels(Pixels):
    """The `Pixels` of an autoencoder and of its encoder, which keeps mean and spread in its own configuration too."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.config: Any = encoder.config
        encoder.pixels = self

    def normalize(self, mean: Sequence[float], std: Sequence[float]) -> None:
        """Sets the mean and the spread `[C]` of each channel, in the scale of [0, 1].

        Raises:
            ValueError: a spread is not positive.
        """
        super().normalize(mean, std)
        self.config |= {"mean": tuple(mean), "std": tuple(std)}


def _check_losses(loss: str, output: str, noise: str | None, noise_level: float) -> None:
    if (loss, output) not in RECONSTRUCTION:
        pairs = ", ".join(f"{loss} of {output}" for loss, output in RECONSTRUCTION)
        raise ValueError(f"loss and output must be {pairs}, but are {loss} of {output}")
    if noise is not None:
        named(noise, NOISES, "noise")
    if not 0.0 <= noise_level <= (1.0 if noise != "gaussian" else float("inf")):
        raise ValueError(f"noise_level must be a fraction, or a standard deviation, but is {noise_level}")


def _code(num_in: int, num_out: int | None, activation: str) -> nn.Module:
    if num_out is not None:
        return nn.Sequential(nn.Linear(num_in, num_out), activation_named(activation))
    if activation != "identity":
        raise ValueError(f"code_activation={activation!r} needs num_features with an encoder other than the mlp")
    return nn.Identity()


def mirrored(shape: tuple[int, ...], hidden: Sequence[int], activation: str) -> nn.Module:
    """Returns the layers from the last of `hidden` back to inputs of a shape."""
    layers: list[nn.Module] = []
    for num_in, num_out in pairwise(reversed(hidden)):
        layers += [nn.Linear(num_in, num_out), activation_named(activation)]
    return nn.Sequential(*layers, nn.Linear(hidden[0], math.prod(shape)), nn.Unflatten(1, shape))


class Crop(nn.Module):
    """The upper left corner of images."""

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.size = height, width

    def forward(self, x: Tensor) -> Tensor:
        """Maps `[B, C, H', W']` to `[B, C, H, W]`."""
        return x[:, :, : self.size[0], : self.size[1]]


def deconvolutions(num_features: int, shape: tuple[int, ...]) -> nn.Module:
    """Returns three transposed convolutions, each doubling the size, from a code to images of a shape."""
    if len(shape) != 3:
        raise ValueError("an encoder on images needs the option image_size=(height, width)")
    channels, height, width = shape
    rows, columns = math.ceil(height / 8), math.ceil(width / 8)
    return nn.Sequential(
        nn.Linear(num_features, 64 * rows * columns),
        nn.ReLU(),
        nn.Unflatten(1, (64, rows, columns)),
        nn.ConvTranspose2d(64, 64, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(64, 32, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(32, channels, 4, stride=2, padding=1),
        Crop(height, width),
    )
