"""The gradient with other rules for ReLUs: deconvolution and guided backpropagation, by captum's hooks on the modules.

Zeiler & Fergus, "Visualizing and understanding convolutional networks" (ECCV 2014, section 2.1): a deconvnet goes from
one unit back to pixels by unpooling to the switches, rectifying, and filtering with the transposed filters. Unpooling
is the gradient of max pooling, and transposed filtering that of convolution; so, as Simonyan et al. (2013, section 4)
say, only the ReLU differs: its gradient is replaced by the rectified signal. Springenberg et al., "Striving for
simplicity" (ICLR 2015 workshop, section 3.4): guided backpropagation rectifies the gradient in addition. Layers that
the deconvnet does not know (normalisation, average pooling, linear ones) pass their gradient.

Both rules live in the ReLU modules. One that a forward pass does not run as a module exactly once would be left out in
silence, and the plain gradient would come out: so it is looked for, and the network refused.
"""

import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from palestra.networks.stages import name_of
from palestra.perception.scores import Score, Unit, evaluating, prepared, score_of

CAPTUM_ON_HOOKS = "Setting backward hooks on ReLU activations"  # the warning of each use of them
ALWAYS = {  # operators, without a trailing underscore, that rectify
    *(
        "relu",
        "threshold",
        "hardtanh",
        "leaky_relu",
        "elu",
        "celu",
        "selu",
        "prelu",
        "_prelu_kernel",
        "rrelu_with_noise",
    ),
    *("hardswish", "hardsigmoid", "gelu", "silu", "mish", "softplus", "heaviside"),
}
AGAINST_ZERO = {"clamp", "clamp_min", "maximum", "gt", "ge", "lt", "le", "fmax"}  # rectify where compared with zero


def deconvolve(network: nn.Module, x: Tensor, unit: Unit) -> Tensor:
    """Projects a unit's answer to inputs `[B, C, H, W]` back to pixels, `[B, C, H, W]`, with the paper's start.

    All but the unit, at its place or its strongest one, are set to zero; the signal begins with its activation.

    Raises:
        ValueError: the network cannot take the inputs, has no such unit, or its ReLUs are not all modules of their own.
    """
    with evaluating(network):
        x = prepared(network, x)
        score = score_of(network, x, unit)
        with torch.no_grad():
            start = score(x)
        signal: Tensor = start.view(-1, *[1] * (x.dim() - 1))
        return signal * rectified_gradient(score, x, guided=False)


def rectified_gradient(score: Score, x: Tensor, *, guided: bool) -> Tensor:
    """Returns the gradient of the scores for floats `[B, ...]`, of that shape, with changed rules for ReLUs.

    Raises:
        ValueError: the ReLUs of the network are not all modules of their own.
    """
    from captum.attr import Deconvolution, GuidedBackprop

    check_rectifiers(score.network, x[:1])
    rule = GuidedBackprop(score) if guided else Deconvolution(score)
    with _separate_inputs(score.network), warnings.catch_warnings():
        warnings.filterwarnings("ignore", CAPTUM_ON_HOOKS, UserWarning)  # said on every use; they are removed
        gradient: Tensor = rule.attribute(x.requires_grad_())
    return gradient.detach()


def check_rectifiers(network: nn.Module, x: Tensor) -> None:
    """Runs a network once and sees whether every rectifier in it is an `nn.ReLU` that runs once and not in place.

    Raises:
        ValueError: one is a function or of another kind, or a module is used again, works in place, or is missing.
    """
    modules = {module: path for path, module in network.named_modules() if isinstance(module, nn.ReLU)}
    for module, path in modules.items():
        if module.inplace:
            raise ValueError(
                f"{_refused(network)}: its ReLU {path} works in place, on what others may read; make it inplace=False"
            )
    watch = _Watch()
    handles = [hook for module in modules for hook in watch.on(module)]
    try:
        with torch.no_grad(), watch:
            network(x)
    finally:
        for handle in handles:
            handle.remove()
    reused = [path for module, path in modules.items() if watch.calls[module] > 1]
    if watch.outside:
        raise ValueError(
            f"{_refused(network)}: it calls {', '.join(sorted(watch.outside))} outside of nn.ReLU modules, "
            "where hooks do not see it; make each rectifier an nn.ReLU of its own"
        )
    if reused:
        raise ValueError(
            f"{_refused(network)}: its ReLU {reused[0]} runs {watch.calls[network.get_submodule(reused[0])]} times "
            "in a forward pass; make each its own"
        )
    if not watch.calls:
        raise ValueError(f"{_refused(network)}: it runs no nn.ReLU, so the plain gradient (saliency) would come out")


class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the calls of ReLU modules, and names the rectifying operators that run outside of them."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls: Counter[nn.Module] = Counter()
        self.outside: set[str] = set()
        self._inside = 0

    def on(self, module: nn.Module) -> tuple[Any, Any]:
        """Hooks a ReLU; removing the two handles undoes it."""

        def enter(module: nn.Module, _inputs: Any) -> None:
            self.calls[module] += 1
            self._inside += 1

        def leave(_module: nn.Module, _inputs: Any, _output: Any) -> None:
            self._inside -= 1

        return module.register_forward_pre_hook(enter), module.register_forward_hook(leave)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Runs an operator and notes it."""
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__.rstrip("_")
        if not self._inside and (name in ALWAYS or (name in AGAINST_ZERO and _against_zero(args, kwargs))):
            self.outside.add(name)
        return func(*args, **kwargs)


def _against_zero(args: Any, kwargs: Any) -> bool:
    values, *others = args
    bound = next(iter([*others, *kwargs.values()]), None)
    if not values.is_floating_point() or bound is None:
        return False
    return not bool(bound.any()) if isinstance(bound, Tensor) else float(bound) == 0.0


def _refused(network: nn.Module) -> str:
    return f"{name_of(network)} cannot be explained by guided backpropagation or deconvolution"


@contextmanager
def _separate_inputs(network: nn.Module) -> Iterator[None]:
    """Gives each ReLU a copy of its input, so that a rule that captum puts on it changes no path around the ReLU."""

    def copy(_module: nn.Module, inputs: tuple[Tensor, ...]) -> Tensor:
        return inputs[0].clone()

    handles = [m.register_forward_pre_hook(copy) for m in network.modules() if isinstance(m, nn.ReLU)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
