"""Convolutions that see nothing but earlier pixels, on whole images or, with what was seen kept, a pixel at a time.

Pixels come in raster order, and the channels of a pixel one after the other: the masks of van den Oord et al., "Pixel
recurrent neural networks" (2016), section 3.4, of which the kernel's rows below the centre, always zero, are left out.
A network writes what it computes once, with an `Apply` in place of its convolutions: `whole` runs them on images, a
`Walk` on the next row or pixel alone, as Ramachandran et al., "Fast generation for convolutional autoregressive models"
(2017), do.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Mask = Literal["A", "B", "none"]
EVERY = slice(None)


class CausalConv(nn.Module):
    """A convolution over `size` rows and columns of an image, of which the lowest row is that of the output itself.

    Columns reach `left` of it, by default as far as to the right. With a mask nothing to the right in the output's own
    row is seen, and at its own place with A only earlier channels, with B also its own: channel k is in group k modulo
    `groups`. On images of `places` rows and columns each row and each column has a bias of its own, zero at first.
    """

    allowed: Tensor | None

    def __init__(
        self,
        num_in: int,
        num_out: int,
        size: tuple[int, int] = (1, 1),
        *,
        left: int | None = None,
        mask: Mask = "none",
        groups: int = 1,
        places: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        conv = nn.Conv2d(num_in, num_out, size)
        self.weight, self.bias = conv.weight, nn.Parameter(conv.bias)  # type: ignore[arg-type]
        self.of_row = nn.Parameter(torch.zeros(num_out, places[0], 1)) if places else None
        self.of_column = nn.Parameter(torch.zeros(num_out, 1, places[1])) if places else None
        self.top, self.left = size[0] - 1, size[1] // 2 if left is None else left
        self.right = size[1] - 1 - self.left
        allowed = None if mask == "none" else _allowed(conv.weight.shape, self.left, mask, groups)
        self.register_buffer("allowed", allowed, persistent=False)

    @property
    def kernel(self) -> Tensor:
        """The weights `[num_out, num_in, rows, columns]`, zero where nothing is seen."""
        return self.weight if self.allowed is None else self.weight * self.allowed

    def forward(self, x: Tensor) -> Tensor:
        """Maps `[B, num_in, H, W]` to `[B, num_out, H, W]`."""
        if self.top or self.left or self.right:
            x = F.pad(x, (self.left, self.right, self.top, 0))
        return self.biased(F.conv2d(x, self.kernel, self.bias))

    def biased(self, out: Tensor, rows: slice = EVERY, columns: slice = EVERY) -> Tensor:
        """Adds to the outputs `[B, num_out, rows, columns]` of some rows and columns the biases of these."""
        if self.of_row is None or self.of_column is None:
            return out
        return out + self.of_row[:, rows] + self.of_column[:, :, columns]


def _allowed(shape: torch.Size, left: int, mask: Mask, groups: int) -> Tensor:
    """Returns 1 where weights of a shape may be other than zero."""
    allowed = torch.ones(shape)
    allowed[:, :, -1, left + 1 :] = 0
    of_out, of_in = (torch.arange(n) % groups for n in shape[:2])
    earlier = of_in < of_out[:, None] if mask == "A" else of_in <= of_out[:, None]
    allowed[:, :, -1, left] = earlier.float()
    return allowed


Apply = Callable[[CausalConv, Tensor], Tensor]


def whole(conv: CausalConv, x: Tensor) -> Tensor:
    """Runs a convolution on images `[B, C, H, W]`."""
    return conv(x)  # type: ignore[no-any-return]


def shifted_down(x: Tensor) -> Tensor:
    """Moves images `[B, C, H, W]` down by a row: each place holds what lies above it."""
    return F.pad(x, (0, 0, 1, 0))[:, :, :-1]


def shifted_right(x: Tensor) -> Tensor:
    """Moves images `[B, C, H, W]` to the right by a column: each place holds what lies left of it."""
    return F.pad(x, (1, 0))[:, :, :, :-1]


class Walk:
    """Runs convolutions on B images of H rows and W columns row by row and, within a row, pixel by pixel.

    What each has seen is kept; a row or pixel that comes again takes the place of what came before.
    """

    def __init__(self, batch: int, height: int, width: int) -> None:
        self._size = batch, height, width
        self._seen: dict[CausalConv, Tensor] = {}
        self._kernels: dict[CausalConv, tuple[Tensor, Tensor, Tensor]] = {}
        self.row = self.column = 0

    def row_of(self, conv: CausalConv, x: Tensor) -> Tensor:
        """Maps the inputs `[B, C, 1, W]` of this row to its outputs."""
        kernel, _, bias = self._kernel(conv)
        if kernel.shape[2:] != (1, 1):
            seen = self._memory(conv)
            seen[:, :, self.row + conv.top, conv.left : conv.left + x.shape[3]] = x[:, :, 0]
            x = seen[:, :, self.row : self.row + kernel.shape[2]]
        return conv.biased(F.conv2d(x, kernel, bias), slice(self.row, self.row + 1))

    def pixel_of(self, conv: CausalConv, x: Tensor) -> Tensor:
        """Maps the inputs `[B, C, 1, 1]` of this pixel to its outputs."""
        kernel, flat, bias = self._kernel(conv)
        if kernel.shape[2:] != (1, 1):
            self.keep(conv, x)
            seen, (rows, columns) = self._memory(conv), kernel.shape[2:]
            x = seen[:, :, self.row : self.row + rows, self.column : self.column + columns]
        out = torch.addmm(bias, x.reshape(len(x), -1), flat)[:, :, None, None]
        return conv.biased(out, slice(self.row, self.row + 1), slice(self.column, self.column + 1))

    def keep(self, conv: CausalConv, x: Tensor) -> None:
        """Takes the inputs `[B, C, 1, 1]` of this pixel as what is seen of it from now on."""
        self._memory(conv)[:, :, self.row + conv.top, self.column + conv.left] = x[:, :, 0, 0]

    def _kernel(self, conv: CausalConv) -> tuple[Tensor, Tensor, Tensor]:
        if conv not in self._kernels:
            kernel = conv.kernel.detach()
            self._kernels[conv] = kernel, kernel.flatten(1).T.contiguous(), conv.bias.detach()
        return self._kernels[conv]

    def _memory(self, conv: CausalConv) -> Tensor:
        if conv not in self._seen:
            batch, height, width = self._size
            size = (height + conv.top, width + conv.left + conv.right)
            self._seen[conv] = conv.weight.new_zeros(batch, conv.weight.shape[1], *size)
        return self._seen[conv]
