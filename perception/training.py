"""What comparisons of networks share: first weights from a seed, fits of so many updates, few labels, rows of seeds."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from palestra.networks.fit import FitConfig, Learner
from palestra.networks.stages import freeze, name_of
from palestra.perception.data import Images
from palestra.perception.inputs import inputs_for
from palestra.perception.intervals import student

Make = Callable[[int | None], nn.Module]  # a network with so many classes, or without any
Transform = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Accuracies:
    """Accuracies of the same thing with several seeds."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Their mean."""
        return float(np.mean(self.values))

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the mean (Student's), cut off at 0 and 1."""
        low, high = student(self.values)
        return max(low, 0.0), min(high, 1.0)

    def __str__(self) -> str:
        low, high = self.interval
        spread = f" ({low:.2%} to {high:.2%})" if len(self.values) > 1 else ""
        return f"{self.mean:.2%}{spread}"


def seeded(make: Make, num_classes: int | None, seed: int) -> nn.Module:
    """Makes a network whose first weights come from a seed; torch's own generator stays as it is."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make(num_classes)


def data_for(network: nn.Module, images: Images) -> Images:
    """Returns images in the form that a network takes, as they are where it does not say."""
    taken: Images = images if getattr(network, "config", None) is None else inputs_for(network, images)
    return taken


def fitted(
    network: nn.Module, images: Images, config: FitConfig, *, seed: int, transform: Transform | None = None
) -> nn.Module:
    """Fits a network to images, and returns it; the `seed` takes the place of the configuration's."""
    learner = Learner(network, replace(config, seed=seed), transform=transform)
    for _ in learner.fit(data_for(network, images)):
        pass
    return network


def accuracy(network: nn.Module, images: Images) -> float:
    """Returns the share of images that a classifier gets right."""
    metrics = Learner(network, FitConfig(loss="cross-entropy")).evaluate(data_for(network, images))
    return metrics["accuracy"]


def with_updates(config: FitConfig, num_samples: int, updates: int) -> FitConfig:
    """Returns a configuration with as many epochs as it takes for at least so many updates."""
    return replace(config, epochs=math.ceil(updates / math.ceil(num_samples / config.batch_size)))


def few(images: Images, count: int | None, seed: int) -> Images:
    """Returns `count` images, of each class its share; all of them where it is None.

    Raises:
        ValueError: there are fewer images, or not one for each class.
    """
    if count is None or count == len(images):
        return images
    if not images.num_classes <= count < len(images):
        raise ValueError(
            f"{count} of {len(images)} labelled images are wanted, but {images.num_classes} classes need one each"
        )
    return images.split(count / len(images), seed)[1]


def stage_names(network: nn.Module, depth: int) -> list[str]:
    """Returns the names of the parameters and statistics of the first `depth` stages, as `freeze` counts them.

    Raises:
        ValueError: there are not so many stages.
    """
    learnt = {name: p.requires_grad for name, p in network.named_parameters()}
    freeze(network, depth)
    names = [name for name, p in network.named_parameters() if not p.requires_grad]
    for name, p in network.named_parameters():
        p.requires_grad_(learnt[name])
    owners = {name.rpartition(".")[0] for name in names}
    return names + [name for name, _ in network.named_buffers() if name.rpartition(".")[0] in owners]


def copy_into(network: nn.Module, source: nn.Module, names: list[str]) -> None:
    """Copies parameters and statistics by name from one network to another.

    Raises:
        ValueError: one of them is missing, or has another shape; both networks are named.
    """
    own, given = network.state_dict(), source.state_dict()
    names = [name for name in names if name in own]
    for name in names:
        if name not in given or given[name].shape != own[name].shape:
            raise ValueError(f"{name} of {name_of(network)} cannot be copied from {name_of(source)}: it has none such")
    network.load_state_dict({name: given[name] for name in names}, strict=False)


def trunk_names(network: nn.Module) -> list[str]:
    """Returns the names of all parameters and statistics but those of the heads.

    Raises:
        ValueError: the network does not say which its heads are.
    """
    heads = tuple(f"{head}." for head in getattr(network, "heads", ()))
    if not heads:
        raise ValueError(f"the network {name_of(network)} does not say which layers are its heads")
    return [name for name in network.state_dict() if not name.startswith(heads)]
