"""How far back an error is felt: the gradient through time of a plain recurrent network and of an LSTM.

A loss on the state after the last step is differentiated with respect to the state t steps earlier, with weights as
they are initialised. In a plain recurrent network each step multiplies the gradient by the transposed weights and the
slope of the tanh, at most 1: after t steps its norm is at most the weights' spectral norm to the power t (Bengio et al.
1994; Pascanu et al. 2013, Section 2.1), and in the long run it falls by about their spectral radius a step, which is
the root of 1/3 for many weights uniform up to one over the root of their number. In an LSTM it also flows along the
memory, where a step multiplies it by the forget gate, about sigmoid(0) = 0.50 with a bias of 0 and sigmoid(1) = 0.73
with a bias of 1 (Gers et al. 2000; Jozefowicz et al. 2015), and what flows through the gates is added to that.

    python docs/lessons/gradient_through_time.py [--out FILE.png]
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from palestra.networks.recurrent import lstm_cell, rnn_cell, weights_of

NETWORKS = {"RNN": None, "LSTM, forget bias 0": 0.0, "LSTM, forget bias 1": 1.0}  # with the bias of the forget gates
WARM_UP = 20  # steps from the zero state until the state is a usual one
PICTURE = Path(__file__).parents[1] / "images" / "gradient_through_time.png"


class Measured(NamedTuple):
    """The gradient's norm t steps back for each network, and the sizes of the recurrent weights of the RNN."""

    norms: dict[str, Tensor]  # [seeds, T + 1], t from 0
    spectral_norm: Tensor  # [seeds]
    spectral_radius: Tensor  # [seeds]


def unroll(name: str, x: Tensor, num_units: int) -> tuple[list[tuple[Tensor, ...]], Tensor]:
    """Runs inputs `[T, B, C]`; returns the state before each step and after the last, and the recurrent weights.

    The weights are torch's, uniform up to one over the root of `num_units`, drawn from its generator.
    """
    forget_bias = NETWORKS[name]
    cell = (nn.RNNCell if forget_bias is None else nn.LSTMCell)(x.shape[2], num_units)
    weights = weights_of(cell)
    if forget_bias is not None:
        nn.init.constant_(weights.bias_ih[num_units : 2 * num_units].detach(), forget_bias)
        nn.init.zeros_(weights.bias_hh[num_units : 2 * num_units].detach())
    parts = 1 if forget_bias is None else 2
    state = tuple(torch.zeros(x.shape[1], num_units, requires_grad=True) for _ in range(parts))
    states = [state]
    for step in x:
        state = lstm_cell(step, *state, weights) if len(state) == 2 else (rnn_cell(step, state[0], weights),)
        states.append(state)
    return states, weights.weight_hh.detach()


def norms_back(states: Sequence[tuple[Tensor, ...]], weigh: Tensor) -> Tensor:
    """Returns the norm of the gradient of `weigh` `[B, H]` times the last state with respect to that t steps earlier.

    The norm is over all parts of the state, averaged over sequences; `[T + 1]`, t from 0.
    """
    flat = [part for state in reversed(states) for part in state]
    gradients = torch.autograd.grad((weigh * states[-1][0]).sum(), flat, allow_unused=True)
    found = [torch.zeros_like(part) if g is None else g for part, g in zip(flat, gradients, strict=True)]
    squares = torch.stack(found).square().sum(-1).reshape(len(states), -1, len(weigh))  # [T + 1, parts, B]
    return squares.sum(1).sqrt().mean(1)


def measure(
    *, steps: int = 60, num_units: int = 64, in_channels: int = 8, batch_size: int = 16, seeds: Sequence[int] = range(5)
) -> Measured:
    """Measures all networks with several seeds.

    Inputs are Gaussian, and the networks have run for some steps before; the loss is the last state times a random
    unit vector, so that the norm is 1 at t = 0, and a little more for an LSTM, whose memory is part of its state.
    """
    norms: dict[str, list[Tensor]] = {name: [] for name in NETWORKS}
    plain = []
    for seed in seeds:
        for name in NETWORKS:
            torch.manual_seed(seed)
            x = torch.randn(WARM_UP + steps, batch_size, in_channels)
            weigh = nn.functional.normalize(torch.randn(batch_size, num_units), dim=1)
            states, weights = unroll(name, x, num_units)
            norms[name].append(norms_back(states[WARM_UP:], weigh))
            if NETWORKS[name] is None:
                plain.append(weights)
    matrices = torch.stack(plain)
    radius = torch.linalg.eigvals(matrices).abs().amax(1)
    rows = {name: torch.stack(values) for name, values in norms.items()}
    return Measured(rows, torch.linalg.matrix_norm(matrices, 2), radius)


def fall(norms: Tensor, begin: int = 10) -> float:
    """Returns the factor by which norms `[seeds, T + 1]` change a step, on the geometric mean from step `begin` on."""
    mean = norms.log().mean(0)
    return float(((mean[-1] - mean[begin]) / (len(mean) - 1 - begin)).exp())


def draw(norms: dict[str, Tensor], out: Path) -> None:
    """Draws the geometric mean over seeds as a line for each network, and the seeds' range as a band."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4), layout="constrained")
    axes = figure.add_subplot()
    for (name, rows), colour in zip(norms.items(), ("#d1495b", "#edae49", "#00798c"), strict=True):
        steps, rows = range(rows.shape[1]), rows.clamp(min=1e-30)
        axes.fill_between(steps, rows.amin(0), rows.amax(0), color=colour, alpha=0.2, linewidth=0)
        axes.plot(steps, rows.log().mean(0).exp(), color=colour, label=name, linewidth=2)
    axes.set(yscale="log", xlabel="steps back from the loss", ylabel="norm of the gradient", xlim=(0, len(steps) - 1))
    axes.set_title("An error fades on its way back through time, before any learning")
    axes.grid(alpha=0.3)
    axes.legend()
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=110)


def main(args: Sequence[str] | None = None) -> None:
    """Prints the numbers and draws them."""
    parser = argparse.ArgumentParser(description="The gradient through time of an RNN and an LSTM.")
    parser.add_argument("--out", type=Path, default=PICTURE, help="where the picture goes")
    out: Path = parser.parse_args(args).out
    norms, norm, radius = measure()
    shown = range(0, 61, 10)
    print(f"{'steps back':<20}" + "".join(f"{t:>10}" for t in shown) + f"{'a step':>9}")
    for name, rows in norms.items():
        mean = rows.log().mean(0).exp()
        print(f"{name:<20}" + "".join(f"{float(mean[t]):>10.1e}" for t in shown) + f"{fall(rows):>9.2f}")
    sizes = f"spectral norm {float(norm.mean()):.2f}, spectral radius {float(radius.mean()):.2f}"
    print(f"recurrent weights of the RNN, mean over seeds: {sizes}")
    draw(norms, out)
    print(out)


if __name__ == "__main__":
    main()
