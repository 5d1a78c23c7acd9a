"""What the files of a plan are held to: the budget that it promises."""

from portraiture.export.tolerance import Tolerance

PLAN_MARGIN_DB = 1.0
"""A file of a plan may fall so far below its budget: the search measured PyTorch's kernels, which sum in other orders.
Files were within 0.2 dB of it."""


def plan_tolerance(budget_db: float | None, most_db: float = 200.0) -> Tolerance:
    """What a plan promises, or ``most_db`` where no more is asked of any file."""
    assert budget_db is not None, "a file of a plan has one"
    least = min(budget_db - PLAN_MARGIN_DB, most_db)
    return Tolerance(f"the plan's budget, {budget_db:g} dB, by other kernels than PyTorch's", min_psnr_db=least)
