"""What `palestra evaluate RUN` says of a generative model: log-probabilities, and how like data its samples are."""

import inspect
import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from palestra.cli.progress import Progress
from palestra.cli.saved import saved_network
from palestra.generative.likeness import likeness
from palestra.generative.scores import score
from palestra.networks.fit import FitConfig, Learner
from palestra.networks.stages import name_of
from palestra.perception.data import Images
from palestra.perception.inputs import inputs_for

MOST = 2000  # samples that are compared with as many images


def measured_model(network: Any, data: Any, judge: str, batch_size: int) -> tuple[dict[str, Any], list[str]]:
    """Returns what is measured, and lines for people.

    Raises:
        ValueError: the model has no likelihood and there is no judge, or there are labels missing.
    """
    measured: dict[str, Any] = {}
    lines: list[str] = []
    if not judge and not hasattr(network, "log_prob"):
        raise ValueError(
            f"a {name_of(network)} has no likelihood; --features RUN compares its samples with the images in the "
            "features of a classifier"
        )
    if hasattr(network, "log_prob"):
        with Progress("evaluating", len(data)) as progress:
            found = score(network, data, batch_size=batch_size, note=progress.update, **_seeded(network.log_prob))
        measured |= {"nats": found.nats, "error": found.error, "bits_per_dim": found.bits_per_dim, "kind": found.kind}
        lines.append(str(found))
    if judge:
        images = data if isinstance(data, Images) else data.images
        compared = _compared(network, images, judge)
        measured |= compared
        lines.append(
            "in the features of {judge}, {samples:,} samples and images: Frechet distance {frechet:.3f}, precision "
            "{precision:.1%}, recall {recall:.1%}, p of a two-sample test {p_value:.3g}".format(**compared)
        )
    return measured, lines


def _seeded(log_prob: Any) -> dict[str, Any]:
    """Returns a generator where log-probabilities are of draws, so that they are the same each time."""
    takes = "generator" in inspect.signature(log_prob).parameters
    return {"generator": torch.Generator().manual_seed(0)} if takes else {}


def _compared(network: Any, images: Images, judge: str) -> dict[str, Any]:
    count = min(MOST, len(images))
    real = images.subset(torch.from_numpy(np.random.default_rng(0).permutation(len(images))[:count]))
    condition = real.labels if network.num_classes else None
    samples = network.sample(count, condition, generator=torch.Generator().manual_seed(0)).cpu()
    pixels = (samples.reshape(count, images.in_channels, *images.image_size) * 255).round().clamp(0, 255).byte()
    seen, drawn = (_features(judge, data) for data in (real, Images(pixels, name="the samples")))
    found = likeness(seen, drawn)
    return {
        "judge": judge,
        "samples": count,
        "frechet": found.frechet,
        "precision": found.precision,
        "recall": found.recall,
        "p_value": found.p_value,
    }


def _features(judge: str, images: Images) -> NDArray[np.float64]:
    """Returns the features `[N, D]` of a fitted network before its last layer."""
    network, _ = saved_network(judge)
    heads = getattr(network, "heads", ())
    if not heads:
        raise ValueError(
            f"{judge} is a {name_of(network)}, but a classifier is wanted, as `palestra fit convnet` makes"
        )
    for head in heads:
        network.set_submodule(head, nn.Identity())
    features: Tensor = Learner(network, FitConfig(batch_size=256)).predict(inputs_for(network, images))
    return features.reshape(len(features), math.prod(features.shape[1:])).double().numpy()
