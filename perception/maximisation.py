"""Inputs that a network answers to most strongly, found by gradient ascent with a prior that keeps them images.

Simonyan et al., "Deep inside convolutional networks" (2013), section 2: ascent on the class's score before the softmax
with weight decay. Yosinski et al., "Understanding neural networks through deep visualization" (2015): blurring now and
then instead. Mahendran & Vedaldi, "Understanding deep image representations by inverting them" (CVPR 2015): total
variation, and jitter. Here the gradient of the score is brought to a mean square of 1 in each image first, so that the
same weights of the prior do for all networks, classes and stages.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from palestra.networks.stages import name_of
from palestra.perception.attribution import blurred
from palestra.perception.scores import Score, Unit, evaluating, input_shape, score_of

GREY = 0.5  # the middle of the scale of images
NOISE = 0.01  # spread of the first image around it
TINY = 1e-8  # keeps divisions finite


def maximise(
    network: nn.Module,
    target: int | Sequence[int] | Unit,
    *,
    start: Tensor | None = None,
    steps: int = 200,
    learning_rate: float = 0.05,
    total_variation: float = 0.3,
    decay: float = 0.3,
    jitter: int = 1,
    blur: float = 0.5,
    blur_every: int = 10,
    bounds: tuple[float, float] | None = (0.0, 1.0),
    seed: int = 0,
) -> Tensor:
    """Returns inputs `[N, ...]` that maximise outputs, one for each of the N numbers in `target`, or a unit, N = 1.

    `start` `[N, ...]` is where the ascent begins, grey with a little noise by default; it must be given where the
    network does not say what it takes. A step adds `learning_rate` times the gradient, of mean square 1, and the
    gradient of the prior: `total_variation` times that of the sum of |differences of neighbours|, and `decay` times
    the distance from grey (from zero, where there are no `bounds`). Images are shifted by up to `jitter` pixels before
    each step and back, blurred with a width of `blur` pixels every `blur_every` steps, and cut to `bounds`. Vectors
    have no neighbours: of the prior only `decay` counts for them. The network is left as it was.

    Raises:
        ValueError: there is no such output, stage or unit, a number is out of range, or `start` is missing.
    """
    if steps < 1 or learning_rate <= 0 or jitter < 0 or blur_every < 1 or min(total_variation, decay, blur) < 0:
        raise ValueError("steps, learning_rate and blur_every must be positive, and the prior's weights not negative")
    targets: Tensor | Unit = target if isinstance(target, Unit) else torch.as_tensor(target).reshape(-1)
    random = torch.Generator().manual_seed(seed)
    x = _first(network, 1 if isinstance(targets, Unit) else len(targets), random) if start is None else start.clone()
    weight = next(network.parameters(), x)
    x = x.to(weight.device)
    middle = 0.0 if bounds is None else sum(bounds) / 2
    with evaluating(network):
        score = score_of(network, x, targets)
        for step in range(steps):
            shift = torch.randint(-jitter, jitter + 1, (2,), generator=random).tolist() if x.dim() == 4 else None
            ascent = _ascent(score, x, shift) - decay * (x - middle)
            if x.dim() == 4 and total_variation:
                ascent = ascent - total_variation * _variation_gradient(x)
            x = x + learning_rate * ascent
            if x.dim() == 4 and (step + 1) % blur_every == 0:
                x = blurred(x, blur)
            x = x if bounds is None else x.clamp(*bounds)
    return x


def _first(network: nn.Module, count: int, random: torch.Generator) -> Tensor:
    shape = input_shape(network)
    if shape is None:
        raise ValueError(f"{name_of(network)} does not say what it takes: give start=, inputs to begin with")
    return GREY + NOISE * torch.randn(count, *shape, generator=random)


def _ascent(score: Score, x: Tensor, shift: list[int] | None) -> Tensor:
    """Returns the gradient of each sample's score, of mean square 1, taken where the images are shifted."""
    moved = x if shift is None else x.roll(shift, (2, 3))
    moved = moved.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(score(moved).sum(), moved)
    gradient = gradient if shift is None else gradient.roll([-s for s in shift], (2, 3))
    size = gradient.flatten(1).pow(2).mean(dim=1).sqrt().view(-1, *[1] * (x.dim() - 1))
    return gradient / (size + TINY)


def _variation_gradient(x: Tensor) -> Tensor:
    """Returns the gradient of the sum of |differences of neighbouring pixels|."""
    down, right = (torch.tanh(x.diff(dim=axis) / NOISE) for axis in (2, 3))  # a sign that is smooth at zero
    gradient = torch.zeros_like(x)
    gradient[:, :, 1:] += down
    gradient[:, :, :-1] -= down
    gradient[..., 1:] += right
    gradient[..., :-1] -= right
    return gradient
