"""The perceptron and fully connected networks, on vectors or on images as vectors."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn

from palestra.networks.activations import activation_named
from palestra.networks.initialisation import initialise
from palestra.networks.pixels import Pixels


class MLP(nn.Module):
    """Fully connected layers `[B, in_channels] -> [B, num_classes]`, each hidden one followed by an activation.

    Without `num_classes` the output is the last hidden layer, `[B, num_features]`; `last_activation` is the activation
    of that layer where it is to be another. With `image_size` it takes images `[B, in_channels, H, W]`. `batch_norm`
    stands between a hidden layer and its activation (Ioffe and Szegedy 2015), `dropout` after the activation, with this
    probability of a unit to be left out (Srivastava et al. 2014). `initialisation` is a name of
    `networks/initialisation.py`.

    Raises:
        ValueError: a layer has no units, or an option is unknown or out of range.
    """

    input_rank: int = 1  # 3 with image_size
    heads: ClassVar[tuple[str, ...]] = ("head",)

    def __init__(
        self,
        in_channels: int,
        num_classes: int | None = None,
        *,
        hidden: Sequence[int] = (256, 256),
        activation: str = "relu",
        last_activation: str | None = None,
        dropout: float = 0.0,
        batch_norm: bool = False,
        initialisation: str = "default",
        image_size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        sizes = (vector_size(in_channels, image_size), *hidden)
        if min(sizes) < 1 or num_classes == 0:
            raise ValueError(f"every layer must have at least one unit, but the sizes are {(*sizes, num_classes)}")
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"dropout must be at least 0 and below 1, but is {dropout}")
        names = [activation] * (len(hidden) - 1) + [last_activation or activation]
        layers: list[nn.Module] = []
        stages: list[str] = []
        for (num_in, num_out), name in zip(pairwise(sizes), names, strict=False):
            layers += [nn.Linear(num_in, num_out), *([nn.BatchNorm1d(num_out)] if batch_norm else [])]
            stages.append(f"features.{len(layers)}")
            layers += [activation_named(name), *([nn.Dropout(dropout)] if dropout else [])]
        self.input_rank = 3 if image_size else 1
        self.stages = tuple(stages)
        self.num_features = sizes[-1]
        self.pixels = Pixels()
        self.features = nn.Sequential(*layers)
        self.head = nn.Identity() if num_classes is None else nn.Linear(self.num_features, num_classes)
        if initialisation != "default":
            initialise(self, initialisation)

    def forward(self, x: Tensor) -> Tensor:
        """Maps vectors `[B, in_channels]`, of any number type, or images to `[B, num_classes]`."""
        return self.head(self.features(as_vectors(self, x)))  # type: ignore[no-any-return]


class Perceptron(nn.Module):
    """One layer of weights, which begin at 0 and can be learnt by Rosenblatt's rule, or by gradients.

    Rosenblatt, "The perceptron: a probabilistic model for information storage and organization in the brain",
    Psychological Review 65 (1958); its later form for several classes: a sample that is taken for another class is
    added to the weights of its own and subtracted from those of the other. Without `num_classes` the output is the
    input.
    """

    input_rank: int = 1  # 3 with image_size
    heads: ClassVar[tuple[str, ...]] = ("head",)
    stages: ClassVar[tuple[str, ...]] = ("features",)

    def __init__(
        self, in_channels: int, num_classes: int | None = None, *, image_size: tuple[int, int] | None = None
    ) -> None:
        super().__init__()
        self.input_rank = 3 if image_size else 1
        self.num_features = vector_size(in_channels, image_size)
        self.pixels = Pixels()
        self.features = nn.Identity()
        self.head = nn.Identity() if num_classes is None else nn.Linear(self.num_features, num_classes)
        initialise(self, "zero")

    def forward(self, x: Tensor) -> Tensor:
        """Maps vectors `[B, in_channels]`, of any number type, or images to `[B, num_classes]`."""
        return self.head(self.features(as_vectors(self, x)))  # type: ignore[no-any-return]


@torch.no_grad()
def learn_by_mistakes(
    perceptron: Perceptron, x: Tensor, target: Tensor, max_epochs: int
) -> Iterator[tuple[int, dict[str, float]]]:
    """Shows samples `[N, ...]` with labels `[N]` to a perceptron one by one, and yields each epoch's mistakes.

    It ends after the first epoch without a mistake, which for two classes comes after at most (R / gamma)^2 mistakes,
    where the longest sample, with the 1 of the bias, has length R and some plane through the origin has all samples on
    their side at a distance of gamma or more (Novikoff 1962). Classes that no plane separates never end.

    Raises:
        ValueError: the perceptron has no classes.
    """
    head = perceptron.head
    if not isinstance(head, nn.Linear):
        raise ValueError("a perceptron learns classes, but this one was made without num_classes")
    vectors = as_vectors(perceptron, x)
    for epoch in range(1, max_epochs + 1):
        mistakes = 0
        for vector, label in zip(vectors, target.tolist(), strict=True):
            guess = int(head(vector).argmax())
            if guess != label:
                mistakes += 1
                for row, sign in ((label, 1.0), (guess, -1.0)):
                    head.weight[row] += sign * vector
                    head.bias[row] += sign
        yield epoch, {"mistakes": float(mistakes), "accuracy": 1.0 - mistakes / len(vectors)}
        if not mistakes:
            return


def vector_size(in_channels: int, image_size: tuple[int, int] | None) -> int:
    """Returns the numbers of a sample: of an image, where it has a size, or of a vector."""
    return in_channels * image_size[0] * image_size[1] if image_size else in_channels


def as_vectors(network: nn.Module, x: Tensor) -> Tensor:
    """Turns the input of a network, vectors of any number type or images, into floats `[B, D]`."""
    if x.dim() > 2:
        x = network.pixels(x).flatten(1)  # type: ignore[operator]
    return x.to(next((p.dtype for p in network.parameters()), torch.get_default_dtype()))
