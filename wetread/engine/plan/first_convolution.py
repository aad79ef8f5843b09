"""The first convolution, on images of one channel."""

from __future__ import annotations

import numpy as np

from wetread.engine.array import Array
from wetread.engine.plan.feature_map import Border
from wetread.engine.plan.finish import Finish
from wetread.engine.plan.tape import Tape


class FirstConvolution:
    """A convolution with stride 1 of one channel, as products of inner length kh·kw or little more.

    With one channel a row product has an inner length of kw, and its sums cost more to move than to make. Here
    the patches are gathered after all, but turned: a plane for each place (i, j) in the window, which holds what
    all outputs of a row see there, each plane copied in long runs. Planes (places, outputs) and the kernel as a
    matrix (places, filters) give the sums as planesᵀ · kernel.

    Before a 2x2 maximum there are four outputs to a place, and their windows share most of their planes: the
    planes of the window that holds all four are gathered once, of every second column (the image's columns are
    kept apart by parity, so that these are runs again), and each of the four takes its own range of them. The
    maximum is then of four whole arrays.
    """

    def __init__(self, kernel: Array, border: Border, size: tuple[int, int], n: int, finish: Finish) -> None:
        self.kernel, self.finish = kernel, finish
        self.height, self.width = size
        self.border = border
        self.step = finish.step
        columns = self.width + border.left + border.right
        rows = self.height + border.above + border.below
        self.pixels = np.zeros((rows, self.step, n, -(-columns // self.step)), np.float32)

    def load(self, X: Array) -> None:
        """Take the images X (n, h, w, 1), columns apart by parity where a maximum follows."""
        inside = self.pixels[self.border.above : self.border.above + self.height]
        for parity in range(self.step):
            first = (parity - self.border.left) % self.step
            taken = X[:, :, first :: self.step, 0].transpose(1, 0, 2)
            place = (first + self.border.left) // self.step
            inside[:, parity, :, place : place + taken.shape[2]] = taken

    def record(self, tape: Tape) -> None:
        """Put the whole convolution on the tape."""
        finish, step = self.finish, self.step
        target = finish.target
        height, width = len(self.kernel) + step - 1, self.kernel.shape[1] + step - 1
        phases = [(a, b) for a in range(step) for b in range(step)]
        kernels = [self._among(width) for _ in phases]
        planes = np.zeros((height, width, target.n, target.width), np.float32)
        sums = [np.zeros((target.n * target.width, target.channels), np.float32) for _ in phases]
        for y in range(target.height):
            for parity in range(step):
                tape.copy(self._seen(step * y, height, parity, width), planes[:, parity::step])
            places = planes.reshape(height * width, -1)
            for (a, b), kernel, out in zip(phases, kernels, sums, strict=True):
                first = a * width + b
                tape.add(np.matmul, places[first : first + len(kernel)].T, kernel, out)
            for out in sums[1:]:
                tape.add(np.maximum, sums[0], out, sums[0])
            out = target.inside[y : y + 1]
            finish.plain(tape, sums[0].reshape(out.shape), out)

    def _seen(self, y: int, height: int, parity: int, width: int) -> Array:
        """Return what places (i, parity), (i, parity + step), ... of a window see: (height, places, n, outputs).

        Outputs and places both move by one column of their parity, so one view shows all of them.
        """
        columns = self.pixels[y:, parity]
        row, image, column = columns.strides
        shape = (height, len(range(parity, width, self.step)), self.finish.target.n, self.finish.target.width)
        return np.lib.stride_tricks.as_strided(columns, shape, (row, column, image, column), writeable=False)

    def _among(self, width: int) -> Array:
        """Return the kernel (places, filters) among the places of a window `width` wide, from its own first on."""
        height, own_width, _, filters = self.kernel.shape
        spread = np.zeros((height, width, filters), np.float32)
        spread[:, :own_width] = self.kernel[:, :, 0]
        return spread.reshape(-1, filters)[: (height - 1) * width + own_width]
