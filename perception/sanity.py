"""Whether a map explains anything: it must change with the weights, and what it marks must matter."""

import copy
from collections.abc import Iterator
from typing import Any

import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from palestra.networks.stages import stages_of
from palestra.perception.attribution import attribute
from palestra.perception.scores import Target, evaluating, prepared, score_of


def randomisation_check(
    network: nn.Module, x: Tensor, target: Target = None, *, method: str = "saliency", seed: int = 0, **options: Any
) -> dict[str, float]:
    """Returns the rank correlation of maps before and after layers are given new random weights, the last ones first.

    Keys are the layers up to which the weights are random, from the output's to the input's. A method whose figure
    stays at 1 shows the image and not the network. Adebayo et al., "Sanity checks for saliency maps" (NeurIPS 2018),
    section 4: cascading randomisation, with Spearman's correlation of |maps|, the mean over the samples of `x`. The
    network itself is not changed. A target of None is each sample's highest output before.
    """
    with evaluating(network):
        score = score_of(network, prepared(network, x), target)
        target = score.target
    before = attribute(network, x, target, method=method, **options)
    changed = copy.deepcopy(network)
    figures = {}
    for name, layer in _layers_backwards(changed):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            layer.reset_parameters()
            for parameter in layer.parameters():
                if parameter.dim() == 1:  # biases and scales as random as the rest
                    nn.init.normal_(parameter, std=0.1)
        figures[name] = _correlation(before, attribute(changed, x, target, method=method, **options))
    return figures


def deletion(
    network: nn.Module, x: Tensor, maps: Tensor, target: Target = None, *, fraction: float = 0.1, baseline: float = 0.0
) -> Tensor:
    """Returns by how much the scores `[B]` fall when the pixels `[B, H, W]` marked most are put to the baseline.

    Petsiuk et al., "RISE" (BMVC 2018), section 4.1, at one fraction of the pixels. Compare with a random map's fall.

    Raises:
        ValueError: the fraction is out of range, or the maps are not of the inputs' size.
    """
    if not 0.0 < fraction <= 1.0:
        raise ValueError(f"the fraction must lie between 0 and 1, but is {fraction}")
    with evaluating(network), torch.no_grad():
        x = prepared(network, x)
        if maps.flatten(1).shape[1] != x[:, :1].flatten(1).shape[1] and maps.shape != x.shape:
            raise ValueError(f"maps of shape {list(maps.shape)} do not fit inputs of shape {list(x.shape)}")
        score = score_of(network, x, target)
        count = max(1, round(fraction * maps[0].numel()))
        marked = torch.zeros_like(maps.flatten(1)).scatter_(1, maps.flatten(1).topk(count).indices, 1.0)
        keep = 1 - marked.view(len(x), *([1] if x.dim() == 4 else []), *maps.shape[1:])
        return score(x) - score(x * keep + baseline * (1 - keep))  # type: ignore[no-any-return]


def _layers_backwards(network: nn.Module) -> Iterator[tuple[str, Any]]:
    layers: list[tuple[str, Any]] = [(name, m) for name, m in network.named_modules() if hasattr(m, "reset_parameters")]
    if not layers:
        raise ValueError(f"there are no weights to make random in {', '.join(stages_of(network)) or 'this network'}")
    return iter(layers[::-1])


def _correlation(first: Tensor, second: Tensor) -> float:
    """Returns the mean of Spearman's correlation of |maps|; maps without any differences have 0."""
    figures = []
    for one, other in zip(first.flatten(1).abs(), second.flatten(1).abs(), strict=True):
        constant = one.amin() == one.amax() or other.amin() == other.amax()
        figures.append(0.0 if constant else float(spearmanr(one.cpu().numpy(), other.cpu().numpy()).statistic))
    return sum(figures) / len(figures)
