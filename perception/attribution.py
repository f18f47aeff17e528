"""Maps of what in an input a network's answer rests on; `METHODS` is the list of them. captum works underneath.

A method takes a score, one number a sample, and inputs `[B, ...]`, and returns numbers of the inputs' shape, with one
channel where it has but one map. `attribute` is the verb for all.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from captum.attr import IntegratedGradients, LayerGradCam, Occlusion, Saliency
from torch import Tensor, nn
from torch.nn import functional as F

from palestra.networks.names import named
from palestra.networks.stages import module_at, name_of, outputs_of, stages_of
from palestra.perception.deconvolution import rectified_gradient
from palestra.perception.scores import Score, Target, Unit, evaluating, prepared, score_of

EVALUATIONS = 64  # samples in a batch where inputs are perturbed, about
FRAME = 80.0  # pixels of the side of the frames for which Greydanus et al. chose their widths


class Method(NamedTuple):
    """A method: its function, what it is, whether it reads a stage, and whether signs of its numbers mean something."""

    function: Callable[..., Tensor]
    what: str
    reads_stage: bool = False
    signed: bool = False


def attribute(
    network: nn.Module,
    x: Tensor,
    target: Target = None,
    *,
    method: str = "saliency",
    stage: str | None = None,
    per_channel: bool = False,
    **options: Any,
) -> Tensor:
    """Returns maps `[B, H, W]` for images `[B, C, H, W]`, uint8 or floats in [0, 1], or `[B, N]` for vectors.

    `target` is the number of an output, one for each sample `[B]`, a `Unit` of a stage, a function of the outputs that
    gives `[B]`, or None for each sample's highest output. `stage` is where Grad-CAM looks, the last one with maps by
    default. With `per_channel` the signed numbers of each channel are returned, `[B, C, H, W]`, or `[B, 1, H, W]` where
    the method makes one map. `options` are the method's own. The network is left as it was.

    Raises:
        ValueError: there is no such method, option, output, stage or unit, the network cannot take the inputs, or it
            is one that the method cannot explain.
    """
    chosen = method_named(method)
    if stage is not None and not chosen.reads_stage:
        raise ValueError(f"{method} reads no stage, but {stage!r} was given; grad-cam and guided-grad-cam do")
    with evaluating(network):
        x = prepared(network, x)
        if stage is not None:
            module_at(network, stage)
        score = score_of(network, x, target)
        if chosen.reads_stage:
            options["stage"] = stage or last_maps(network, x, target)
        if method == "perturbation" and target is None:
            score = Score(network, lambda output: output)
        try:
            maps = chosen.function(score, x, **options)
        except TypeError as error:
            if "unexpected keyword" not in str(error):
                raise
            raise ValueError(f"the method {method} has no option {str(error).split()[-1]}") from None
    if per_channel or maps.dim() != 4:
        return maps if per_channel or chosen.signed else maps.abs()
    return maps.sum(dim=1) if chosen.signed else maps.abs().amax(dim=1)


def method_named(name: str) -> Method:
    """Returns a method.

    Raises:
        ValueError: there is none of that name; the nearest one is offered.
    """
    return named(name, METHODS, "method")  # type: ignore[no-any-return]


def last_maps(network: nn.Module, x: Tensor, target: Target = None) -> str:
    """Returns the last stage, before that of a target that is a unit, with maps `[B, C, H, W]` of more than one place.

    Raises:
        ValueError: there is none.
    """
    stages = stages_of(network)
    if isinstance(target, Unit) and target.stage in stages:
        stages = stages[: stages.index(target.stage)] or stages[:1]
    with torch.no_grad(), outputs_of(network, stages) as outputs:
        network(x[:1])
    maps = [p for p, out in outputs.items() if isinstance(out, Tensor) and out.dim() == 4 and out[0, 0].numel() > 1]
    if not maps:
        raise ValueError(f"Grad-CAM wants a stage with maps [C, H, W], but {name_of(network)} has none")
    return maps[-1]


def saliency(score: Score, x: Tensor) -> Tensor:
    """Returns the gradient, of the shape of `x`.

    Simonyan et al., "Deep inside convolutional networks" (2013), section 3: the map is its magnitude, the largest over
    the channels.
    """
    gradient: Tensor = Saliency(score).attribute(x.requires_grad_(), abs=False)
    return gradient.detach()


def integrated_gradients(score: Score, x: Tensor, *, baseline: float | Tensor = 0.0, steps: int = 32) -> Tensor:
    """Returns (x - baseline) times the mean gradient between the two; it adds up to the difference of the scores.

    Sundararajan et al., "Axiomatic attribution for deep networks" (ICML 2017).
    """
    parts = IntegratedGradients(score).attribute(
        x, baselines=_baseline(x, baseline), n_steps=steps, internal_batch_size=len(x) * _at_once(score, len(x))
    )
    return parts.detach().to(x.dtype)  # type: ignore[no-any-return]


def guided_backpropagation(score: Score, x: Tensor) -> Tensor:
    """Returns the gradient where every ReLU lets through only what is positive, forwards and backwards."""
    return rectified_gradient(score, x, guided=True)


def deconvolution(score: Score, x: Tensor) -> Tensor:
    """Returns the gradient where every ReLU lets through only what is positive backwards; units: `deconvolve`."""
    return rectified_gradient(score, x, guided=False)


def grad_cam(score: Score, x: Tensor, *, stage: str) -> Tensor:
    """Returns `[B, 1, H, W]`: a stage's maps, weighted by their mean gradients, summed, rectified and enlarged.

    Selvaraju et al., "Grad-CAM" (ICCV 2017), section 3; bilinear enlargement.
    """
    layer = LayerGradCam(score, module_at(score.network, stage))
    try:
        maps = layer.attribute(x, relu_attributions=True)
    except RuntimeError as error:
        if "used in the graph" not in str(error):
            raise
        raise ValueError(f"the target does not depend on the stage {stage}") from None
    if maps.dim() != 4 or x.dim() != 4:
        raise ValueError(f"Grad-CAM wants a stage with maps [C, H, W], but {stage} gives {list(maps.shape[1:])}")
    return F.interpolate(maps.detach(), size=x.shape[2:], mode="bilinear", align_corners=False)


def guided_grad_cam(score: Score, x: Tensor, *, stage: str) -> Tensor:
    """Returns guided backpropagation times Grad-CAM, of the shape of `x` (Selvaraju et al. 2017, section 3.3)."""
    return grad_cam(score, x, stage=stage) * rectified_gradient(score, x, guided=True)


def occlusion(
    score: Score, x: Tensor, *, window: int | None = None, stride: int | None = None, baseline: float | Tensor = 0.0
) -> Tensor:
    """Returns `[B, 1, H, W]`, or `[B, N]` for vectors: how much the score falls where a window covers the input.

    Zeiler & Fergus (ECCV 2014), section 4.2. A pixel is given the mean over the windows that cover it. `window` is a
    side in pixels, a sixth of the image by default (a sequence's or vector's: 1), `stride` half of that; `baseline` is
    what covers, a number or a tensor like a sample, for instance 0.5 or the mean image.

    Raises:
        ValueError: the window does not fit, or the stride passes it.
    """
    sides = x.shape[2:] if x.dim() == 4 else x.shape[1:]
    side = window or (max(1, round(min(sides) / 6)) if x.dim() == 4 else 1)
    step = stride or max(1, side // 2)
    if not 1 <= step <= side <= min(sides):
        raise ValueError(f"the window must fit in {list(sides)} and the stride in it, but they are {side} and {step}")
    channels = (x.shape[1],) if x.dim() == 4 else ()
    fall = Occlusion(score).attribute(
        x,
        sliding_window_shapes=(*channels, *[side] * len(sides)),
        strides=(*channels, *[step] * len(sides)),
        baselines=_baseline(x, baseline),
        perturbations_per_eval=_at_once(score, len(x)),
    )
    return fall.detach()[:, :1] if x.dim() == 4 else fall.detach()  # type: ignore[no-any-return]


def perturbation(
    score: Score, x: Tensor, *, stride: int | None = None, spread: float | None = None, blur: float | None = None
) -> Tensor:
    """Returns `[B, 1, H, W]`: ½‖f(x) - f(x blurred around the pixel)‖² of the score, or of all outputs without target.

    Greydanus et al., "Visualizing and understanding Atari agents" (ICML 2018), section 3: a Gaussian of width `spread`
    mixes in the image blurred with width `blur`, every `stride` pixels, and the map is enlarged bilinearly. Their
    widths of 5, 3 and 5 pixels are for 80 x 80; by default they are scaled to the images.

    Raises:
        ValueError: the inputs are no images.
    """
    if x.dim() != 4:
        raise ValueError(f"perturbation blurs images [B, C, H, W], but the inputs are {list(x.shape)}")
    scale = min(x.shape[2:]) / FRAME
    step = stride or max(1, round(5 * scale))
    masks = _gaussians(x, step, 5 * scale if spread is None else spread)  # [rows, columns, H, W]
    smooth = blurred(x, 3 * scale if blur is None else blur)
    with torch.no_grad():
        before = score(x)
        falls = []
        for mask in masks.flatten(0, 1):
            after = score(x * (1 - mask) + smooth * mask)
            falls.append(0.5 * (before - after).pow(2).reshape(len(x), -1).sum(dim=1))
    maps = torch.stack(falls, dim=1).view(len(x), 1, *masks.shape[:2])
    return F.interpolate(maps, size=x.shape[2:], mode="bilinear", align_corners=False)


def blurred(x: Tensor, width: float) -> Tensor:
    """Returns images `[B, C, H, W]` filtered with a Gaussian of a width in pixels, the border repeated outwards."""
    if width <= 0:
        return x
    reach = max(1, round(3 * width))
    offset = torch.arange(-reach, reach + 1, device=x.device, dtype=x.dtype)
    kernel = torch.exp(-0.5 * (offset / width) ** 2)
    kernel = (kernel / kernel.sum()).expand(x.shape[1], 1, -1)
    rows = F.conv2d(F.pad(x, (0, 0, reach, reach), "replicate"), kernel[..., None], groups=x.shape[1])
    return F.conv2d(F.pad(rows, (reach, reach, 0, 0), "replicate"), kernel[:, :, None], groups=x.shape[1])


def _gaussians(x: Tensor, step: int, width: float) -> Tensor:
    """Returns a bump `[rows, columns, H, W]` of height 1 around each place of a grid in the images."""
    axes = []
    for side in x.shape[2:]:
        pixels = torch.arange(side, device=x.device, dtype=x.dtype)
        centres = (torch.arange(-(-side // step), device=x.device, dtype=x.dtype) + 0.5) * side / -(-side // step) - 0.5
        axes.append(torch.exp(-0.5 * ((pixels - centres[:, None]) / width) ** 2))
    rows, columns = axes
    return rows[:, None, :, None] * columns[None, :, None, :]


def _baseline(x: Tensor, baseline: float | Tensor) -> Tensor:
    value = torch.as_tensor(baseline, device=x.device, dtype=x.dtype)
    return (value if value.dim() else value.expand(x.shape[1:])).expand(x.shape)


def _at_once(score: Score, num_samples: int) -> int:
    """Returns the copies of the samples in a batch: functions of users may want the batch as it is."""
    return max(1, EVALUATIONS // num_samples) if isinstance(score.target, Tensor) else 1


METHODS = {  # name on the command line
    "saliency": Method(saliency, "the gradient (Simonyan et al. 2013)"),
    "guided-backpropagation": Method(guided_backpropagation, "the gradient through positive ReLUs only"),
    "deconvolution": Method(deconvolution, "back through switches and rectifiers (Zeiler & Fergus 2014)"),
    "grad-cam": Method(grad_cam, "a stage's maps, weighted by their gradients", reads_stage=True),
    "guided-grad-cam": Method(guided_grad_cam, "Grad-CAM times guided backpropagation", reads_stage=True),
    "occlusion": Method(occlusion, "how the score falls where the input is covered", signed=True),
    "integrated-gradients": Method(integrated_gradients, "shares of the score's difference from black", signed=True),
    "perturbation": Method(perturbation, "how the outputs move where the input is blurred (Greydanus et al. 2018)"),
}
