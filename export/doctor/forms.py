"""What to write in place of an operation that a converter, a runtime or a device does not take."""

_FORMS = {
    "gridsampl": "resize with interpolate, or shift with pads and slices",
    "roll": "slice and concatenate",
    "unfold": "write it as convolutions",
    "im2col": "write it as convolutions",
    "fft": "write it as convolutions",
    "sort": "compare with a maximum or a mean",
    "topk": "compare with a maximum or a mean",
    "argm": "compare with a maximum or a mean",
    "nonzero": "multiply by a mask: shapes must not depend on values",
    "unique": "multiply by a mask: shapes must not depend on values",
    "where": "multiply by a mask: shapes must not depend on values",
    "maskedselect": "multiply by a mask: shapes must not depend on values",
    "cumsum": "convolve with a kernel of ones, or matrix-multiply with a triangle of ones",
    "cumulative": "convolve with a kernel of ones, or matrix-multiply with a triangle of ones",
    "einsum": "write it as matrix products",
    "adaptive": "pool with the kernel that the fixed size gives",
    "deform": "write it as convolutions",
    "reverse": "slice line by line and concatenate, or convolve with a kernel that permutes",
    "flip": "slice line by line and concatenate, or convolve with a kernel that permutes",
    "gather": "slice, or matrix-multiply with a constant matrix of zeros and ones",
    "scatter": "pad and add, or concatenate",
    "lstm": "unroll it to convolutions, sigmoids and arithmetic",
    "gru": "unroll it to convolutions, sigmoids and arithmetic",
    "loop": "unroll it: the number of steps is fixed",
    "cond": "compute both sides and multiply by a mask",
    "list": "concatenate tensors of fixed size",
    "relu0to1": "clip with a minimum and a maximum, or with RELU6 of six times the value",
    "splitv": "slice, or split into equal parts",
}
"""Forms that every target takes, by a part of an operation's name, lower case without underscores."""

DEFAULT_FORM = "write that layer with convolutions, pools, slices, pads and arithmetic"


def form_of(kind: str) -> str:
    """A form that works in place of an operation.

    >>> form_of("REVERSE_V2")
    'slice line by line and concatenate, or convolve with a kernel that permutes'
    """
    plain = kind.lower().replace("_", "")
    return next((form for part, form in _FORMS.items() if part in plain), DEFAULT_FORM)
