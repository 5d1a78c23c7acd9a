"""The training loop: schedule, state, scalars, processes."""
