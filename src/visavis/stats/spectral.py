"""Measures of subspaces and spectra as functions of the `Overlap` of principal axes.

With P the projection on the span of centred features, and any function of their Gram matrix that
leaves its axes where they are, everything follows from singular values and M = U_xᵀU_y.
"""

from visavis._core import array
from visavis._core.types import Array
from visavis.stats.axes import Axes, Overlap, rank
from visavis.stats.linear import refuse_saturated


def ranks(overlap: Overlap) -> tuple[Array, Array]:
    """Return the ranks of both sides."""
    return rank(overlap.x.values), rank(overlap.y.values)


def eigenspace_overlap(where: str, overlap: Overlap, *, allow_saturated: bool) -> Array:
    """Return ‖U_xᵀU_y‖² over the larger rank."""
    r_x, r_y = ranks(overlap)
    if not allow_saturated:
        refuse_saturated(where, (r_x, r_y), overlap.n)
    xp = array.namespace(overlap.matrix)
    if overlap.spanned:
        # Exactly, so that it ties with all others: rounding must not rank meaningless values.
        return xp.minimum(r_x, r_y) / xp.maximum(r_x, r_y)
    # 0/0 for a constant side, which has no span.
    return xp.sum(overlap.matrix**2) / xp.maximum(r_x, r_y) * (r_x * r_y / (r_x * r_y))


def chance_overlap(overlap: Overlap) -> Array:
    """Return the exact mean of the eigenspace overlap over permutations of the rows of one side."""
    xp = array.namespace(overlap.matrix)
    return xp.minimum(*ranks(overlap)) / (overlap.n - 1)


def gulp(
    where: str, overlap: Overlap, *, regularization: float, scale: bool, allow_saturated: bool
) -> Array:
    """Return ‖H_x − H_y‖² for the ridge smoothers H = Xc(XcᵀXc + nλI)⁻¹Xcᵀ of both sides."""
    xp = array.namespace(overlap.matrix)
    r_x, r_y = ranks(overlap)
    if regularization == 0:
        if not allow_saturated:
            refuse_saturated(where, (r_x, r_y), overlap.n)
        if overlap.spanned:
            return xp.abs(r_x - r_y)
    w_x, w_y = (kept(side, regularization, scale=scale) for side in (overlap.x, overlap.y))
    # Not from the traces: near zero their difference would keep half of the digits. Inside the
    # span of X, between it and the rest, and outside of it.
    rest = aside(overlap)
    within = overlap.matrix * w_y
    itself = xp.eye(w_x.shape[0], dtype=w_x.dtype, device=array.device(w_x)) * w_x
    inside = xp.sum((itself - within @ overlap.matrix.T) ** 2)
    between = xp.sum((within @ rest.T) ** 2)
    outside = xp.sum((rest.T @ rest) ** 2 * w_y[:, None] * w_y)
    return (inside + 2 * between + outside) * (r_x * r_y / (r_x * r_y))


def chance_gulp(overlap: Overlap, *, regularization: float, scale: bool) -> Array:
    """Return the exact mean of the squared distance over permutations of the rows of one side."""
    xp = array.namespace(overlap.matrix)
    w_x, w_y = (kept(side, regularization, scale=scale) for side in (overlap.x, overlap.y))
    own = xp.linalg.vecdot(w_x, w_x) + xp.linalg.vecdot(w_y, w_y)
    return own - 2 * xp.sum(w_x) * xp.sum(w_y) / (overlap.n - 1)


def kept(axes: Axes, regularization: float, *, scale: bool) -> Array:
    """Return λ_i/(λ_i + λ) of the eigenvalues λ_i of the covariance, of trace 1 under `scale`."""
    xp = array.namespace(axes.values)
    real = xp.astype(axes.values > 0, axes.values.dtype)
    if regularization == 0:
        return real
    size = xp.linalg.vector_norm(axes.values) if scale else axes.n**0.5 * axes.unit
    ratio = size / xp.where(axes.values > 0, axes.values, xp.ones_like(axes.values))
    # λ_i/(λ_i + λ) as 1/(1 + λ/λ_i) cannot overflow, and neither can a root of λ/λ_i.
    return real / (1 + (regularization**0.5 * ratio) ** 2)


def aside(overlap: Overlap) -> Array:
    """Return what of the axes of Y lies outside the span of X, (n, r_y)."""
    return overlap.y.left - overlap.x.left @ overlap.matrix


def riemannian(overlap: Overlap, *, shrinkage: float, scale: bool) -> Array:
    """Return the affine-invariant distance of both shrunken Gram matrices.

    A = (1 − s)K + s·tr(K)/n·I is ε(I + U·diag(a − 1)·Uᵀ), and B likewise. The eigenvalues of
    A⁻¹B are the squares of the singular values of A^(−½)B^(½), which keep twice the digits.
    """
    xp = array.namespace(overlap.matrix)
    n = overlap.n
    a, b = (_stretch(side, shrinkage) for side in (overlap.x, overlap.y))
    dimensions = a.shape[0] + b.shape[0]
    if dimensions < n:
        # In the span of both: the axes of X come first, the rest of those of Y after.
        _, rest = xp.linalg.qr(aside(overlap))
        axes = xp.concat([overlap.matrix, rest], axis=0)
        shrunken = xp.concat([1 / a, xp.ones_like(b)])
        singular = xp.linalg.svdvals(shrunken[:, None] * _root(axes, b))
    else:
        dimensions = n
        U = overlap.x.left
        root = _root(overlap.y.left, b)
        singular = xp.linalg.svdvals(root + (U * (1 / a - 1)) @ (U.T @ root))
    x, y = (xp.linalg.vector_norm(side.values) / side.unit for side in (overlap.x, overlap.y))
    # Outside both spans the matrices are multiples of the identity.
    shift = 0.0 * x if scale else 2 * (xp.log(y) - xp.log(x))
    logs = 2 * xp.log(singular) + shift
    return xp.sqrt(xp.sum(logs**2) + (n - dimensions) * shift**2)


def _stretch(axes: Axes, shrinkage: float) -> Array:
    """Return the roots of the eigenvalues, those outside the span being 1."""
    xp = array.namespace(axes.values)
    shares = (axes.values / xp.linalg.vector_norm(axes.values)) ** 2
    return xp.sqrt(1 + (1 - shrinkage) / shrinkage * axes.n * shares)


def _root(axes: Array, stretch: Array) -> Array:
    """Return the symmetric matrix that stretches orthonormal axes and leaves all else."""
    xp = array.namespace(axes)
    one = xp.eye(axes.shape[0], dtype=axes.dtype, device=array.device(axes))
    return one + (axes * (stretch - 1)) @ axes.T
