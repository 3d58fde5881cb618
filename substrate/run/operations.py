"""What operations of torch multiply: formulas that torch itself does not have.

    matrix times vector, outer product                 n m
    Cholesky's factor, of n × n                        n³ / 6
    its solutions, of k right-hand sides               n² k
    its inverse                                        n³ / 3
    LU, and a determinant                              n³ / 3
    solution by LU                                     n³ / 3 + n² k
    inverse by LU                                      n³
    triangular solution                                n² k / 2
    norms, variances and mean squares                  one an element
    product, quotient, square, root                    one an element
    a fused step of Adam                               8 an element

Leading orders alone; of a batch of matrices each one counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor


def multiplications_of(
    name: str, args: Sequence[Any], kwargs: dict[str, Any], result: Any
) -> int | None:
    """Count what an operation multiplies; None where it is not in the lists of this module.

    Args:
        name: of the operation as torch dispatches it, without the underscore of those in place.
        args: what it was given.
        kwargs: likewise.
        result: what it gave.
    """
    if name in _OF_ARGUMENTS:
        return _OF_ARGUMENTS[name](*args)
    if name in _OF_SOLUTIONS:
        return _solution(name, args[_OF_SOLUTIONS[name]], result)
    if name == "_fused_sgd":
        return (2 if kwargs.get("momentum", 0.0) else 1) * _elements(args[0])
    if name in _EACH_RESULT:
        return _EACH_RESULT[name] * _elements(result)
    if name.startswith("_foreach_"):
        each = _EACH_RESULT.get(name.removeprefix("_foreach_"))
        # what changes a list in place gives nothing, and a power may have a number in front
        return None if each is None else each * _elements(args[0] if result is None else result)
    return None


def _elements(tensors: Any) -> int:
    if isinstance(tensors, Tensor):
        return tensors.numel()
    return sum(each.numel() for each in tensors if isinstance(each, Tensor))


def _cube(a: Tensor) -> int:
    return a.numel() * a.shape[-1]


def _solution(name: str, a: Tensor, result: Any) -> int:
    """Count a solution of systems; either side may be one that all systems share."""
    found = result if isinstance(result, Tensor) else result[0]
    sides = int(found.numel()) * a.shape[-1]
    if name == "_linalg_solve_ex":
        return _cube(a) // 3 + sides
    return sides // 2 if "triangular" in name else sides


_OF_SOLUTIONS = {
    "cholesky_solve": 1,
    "linalg_lu_solve": 0,
    "_linalg_solve_ex": 0,
    "linalg_solve_triangular": 0,
    "triangular_solve": 1,
}
"""Which argument is the matrix of the systems."""

_OF_ARGUMENTS: dict[str, Callable[..., int]] = {
    "mv": lambda a, x: a.numel(),
    "addmv": lambda y, a, x, *_: a.numel(),
    "dot": lambda x, y: x.numel(),
    "vdot": lambda x, y: x.numel(),
    "addr": lambda a, x, y, *_: x.numel() * y.numel(),
    "addbmm": lambda a, x, y, *_: x.numel() * y.shape[-1],
    "cholesky": lambda a, *_: _cube(a) // 6,
    "linalg_cholesky_ex": lambda a, *_: _cube(a) // 6,
    "cholesky_inverse": lambda a, *_: _cube(a) // 3,
    "linalg_lu": lambda a, *_: _cube(a) // 3,
    "linalg_lu_factor_ex": lambda a, *_: _cube(a) // 3,
    "_linalg_det": lambda a, *_: _cube(a) // 3,
    "_linalg_slogdet": lambda a, *_: _cube(a) // 3,
    "linalg_inv_ex": lambda a, *_: _cube(a),
    "linalg_vector_norm": lambda x, *_: x.numel(),
    "norm": lambda x, *_: x.numel(),
    "_foreach_norm": lambda x, *_: _elements(x),
    "mse_loss": lambda x, *_: x.numel(),
    "prod": lambda x, *_: x.numel(),
    "cumprod": lambda x, *_: x.numel(),
    "var": lambda x, *_: x.numel(),
    "std": lambda x, *_: x.numel(),
    "var_mean": lambda x, *_: x.numel(),
    "std_mean": lambda x, *_: x.numel(),
    "_fused_adam": lambda tensors, *_: 8 * _elements(tensors),
    "_fused_adamw": lambda tensors, *_: 8 * _elements(tensors),
}

_EACH_RESULT = {
    "mul": 1,
    "div": 1,
    "pow": 1,
    "square": 1,
    "sqrt": 1,
    "rsqrt": 2,
    "reciprocal": 1,
    "hypot": 2,
    "lerp": 1,
    "addcmul": 2,
    "addcdiv": 2,
    "linalg_cross": 2,
    "sigmoid_backward": 2,
    "tanh_backward": 2,
    "_softmax_backward_data": 2,
    "_log_softmax_backward_data": 1,
    "mse_loss_backward": 2,
    "mean": 1,
}

_FREE = """
add sub rsub sum nansum cumsum logcumsumexp neg abs sgn sign maximum minimum max min amax amin
aminmax clamp clamp_min clamp_max round floor ceil trunc frac fmax fmin cummax cummin relu
leaky_relu leaky_relu_backward threshold threshold_backward hardtanh hardtanh_backward exp expm1
exp2 log log1p log2 log10 sin cos tan asin acos atan atan2 sinh cosh tanh erf erfc erfinv sigmoid
softplus log_sigmoid_forward logsumexp _softmax _log_softmax nll_loss_forward nll_loss_backward
where masked_fill masked_select masked_scatter gather scatter scatter_add index index_select
index_add index_put _index_put_impl index_fill index_copy take topk sort median nanmedian kthvalue
cat stack clone copy _to_copy _copy_from contiguous repeat repeat_interleave roll flip tril triu
constant_pad_nd im2col col2im unfold_backward select_backward slice_backward max_pool2d_with_indices
max_pool2d_with_indices_backward zero zeros zeros_like ones ones_like full full_like fill new_zeros
new_ones new_full new_empty empty empty_like empty_strided new_empty_strided squeeze unsqueeze
transpose t swapaxes eye arange linspace scalar_tensor lift_fresh lift_fresh_copy
_local_scalar_dense _unsafe_view _reshape_alias resize set detach alias rand rand_like randn
randn_like normal uniform bernoulli exponential random native_dropout block_diag diag_embed
nan_to_num one_hot _foreach_add _foreach_sub _foreach_neg _foreach_abs _foreach_copy _foreach_zero
_foreach_maximum _foreach_minimum _foreach_max _linalg_check_errors
"""

FREE = frozenset(_FREE.split())
"""Operations that move, choose, compare, draw or sum numbers, or look a function up."""
