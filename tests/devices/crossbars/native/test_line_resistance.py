import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.sparse import linalg

from devices.crossbars.native.line_resistance import LineResistance, effective_conductance


def nodal_solution(conductance: np.ndarray, volts: np.ndarray, row: float, column: float):
    """Currents of the columns by Kirchhoff's laws at every node of both wires."""
    n_out, n_in = conductance.shape
    cells = n_out * n_in
    matrix = sparse.lil_matrix((2 * cells, 2 * cells))
    source = np.zeros(2 * cells)

    def connect(a: int, b: int, siemens: float) -> None:
        matrix[a, a] += siemens
        matrix[b, b] += siemens
        matrix[a, b] -= siemens
        matrix[b, a] -= siemens

    for i in range(n_out):
        for j in range(n_in):
            on_row, on_column = i * n_in + j, cells + i * n_in + j
            connect(on_row, on_column, conductance[i, j])
            if i == 0:
                matrix[on_row, on_row] += 1 / row
                source[on_row] += volts[j] / row
            else:
                connect(on_row - n_in, on_row, 1 / row)
            if j == n_in - 1:
                matrix[on_column, on_column] += 1 / column
            else:
                connect(on_column, on_column + 1, 1 / column)
    solution = linalg.spsolve(matrix.tocsc(), source)
    return solution[cells + n_in - 1 :: n_in] / column


@pytest.mark.parametrize(("ohm", "error"), [(0.5, 1e-5), (5.0, 5e-4), (20.0, 5e-3)])
@pytest.mark.parametrize("lowest_volts", [0.0, -1.0])
def test_currents_are_those_of_the_exact_network_within_the_stated_error(ohm, error, lowest_volts):
    rng = np.random.default_rng(0)
    conductance = rng.uniform(1e-7, 25e-6, (24, 32))
    volts = rng.uniform(lowest_volts, 1, 32)
    exact = nodal_solution(conductance, volts, ohm, ohm / 2)
    lines = LineResistance(row=ohm, column=ohm / 2)
    ours = effective_conductance(lines, torch.tensor(conductance)).numpy() @ volts
    scale = np.linalg.norm(exact)
    assert np.linalg.norm(ours - exact) / scale < error
    # without the correction the error is at least ten times as large
    assert np.linalg.norm(conductance @ volts - exact) / scale > 10 * error


def test_perfect_wires_change_nothing():
    conductance = torch.rand(2, 3, 4)
    assert torch.equal(effective_conductance(LineResistance(), conductance), conductance)
