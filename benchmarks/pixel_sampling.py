"""Sampling images from a Gated PixelCNN with what was seen kept, beside the loop that computes all anew.

Binary images of 28 x 28, sixteen at a time. The naive loop makes 784 forward passes; with `--passes` it is timed on so
many of them, evenly spread, and their mean taken for the rest. Both draw from the same random numbers, and the fast
one's logits are compared with those of a forward pass over its finished images. Median of the repetitions, by turns.

    python benchmarks/pixel_sampling.py [--repetitions 3] [--passes 784]
"""

import argparse
import json
import statistics
import time
from typing import Any

import torch

from palestra.networks import create
from palestra.networks.threads import use_threads

BATCH, SIDE = 16, 28


def naive_seconds(model: Any, passes: int) -> float:
    """Returns how long the naive loop takes, by so many of its forward passes."""
    x = torch.zeros(BATCH, *model.shape, dtype=torch.int64)
    with torch.inference_mode():
        model.logits(x)
        begin = time.perf_counter()
        for _ in range(passes):
            model.logits(x)
    return (time.perf_counter() - begin) * SIDE**2 / passes


def fast_seconds(model: Any) -> float:
    """Returns how long the images take with what was seen kept."""
    begin = time.perf_counter()
    model.sample(BATCH, generator=torch.Generator().manual_seed(0))
    return time.perf_counter() - begin


@torch.inference_mode()
def difference(model: Any) -> float:
    """Returns how far the fast way's logits are from those of a forward pass, at most."""
    x = (model.sample(BATCH, generator=torch.Generator().manual_seed(0)) >= 0.5).long()
    whole, walker, worst = model.logits(x), model.walk(BATCH), 0.0
    for row in range(SIDE):
        walker.begin_row(x, row)
        for column in range(SIDE):
            worst = max(worst, float((walker.at(x, row, column) - whole[:, :, row, column]).abs().max()))
            walker.done(x, row, column)
    return worst


def main() -> None:
    """Prints the times and their ratio, and as the last line a JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--passes", type=int, default=SIDE**2)
    parser.add_argument("--units", type=int, default=64)
    parser.add_argument("--blocks", type=int, default=7)
    options = parser.parse_args()
    use_threads(image=True)
    torch.manual_seed(0)
    sizes = {"num_units": options.units, "num_blocks": options.blocks}
    model: Any = create("gated-pixelcnn", in_channels=1, image_size=(SIDE, SIDE), levels=2, **sizes).eval()
    fast_seconds(model)
    times = [(fast_seconds(model), naive_seconds(model, options.passes)) for _ in range(options.repetitions)]
    fast, naive = (statistics.median(column) for column in zip(*times, strict=True))
    worst = difference(model)
    what = f"{options.blocks} blocks of {options.units} units, {torch.get_num_threads()} threads"
    print(f"{BATCH} images of {SIDE} x {SIDE}, {what}")
    print(f"kept {fast:.2f} s, naive {naive:.1f} s: {naive / fast:.0f}x; logits differ by {worst:.1e} at most")
    print(json.dumps({"fast": fast, "naive": naive, "ratio": naive / fast, "difference": worst}))


if __name__ == "__main__":
    main()
