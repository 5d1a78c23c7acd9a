"""The renderer for selfies, section 3.3, equations (4) and (6): one blur for everything but the person."""

from portraiture.reference.arrays import Floats
from portraiture.reference.paper.guided import guided_blur


def render_selfie(rgb: Floats, alpha: Floats, radius_px: float) -> Floats:
    """Equation (4) with the guided kernel (6) in place of the plain one.

    Args:
        rgb: HxWx3 float64 in 0..1.
        alpha: HxW matte in 0..1.
        radius_px: disk radius of the background in pixels, 0 or more.

    Returns:
        HxWx3 float64.
    """
    person = alpha[..., None]  # HxW -> HxWx1
    # (4)  B_i = m_i I_i + (1 - m_i) sum_j w_ij I_j
    return person * rgb + (1.0 - person) * guided_blur(rgb, alpha, radius_px)
