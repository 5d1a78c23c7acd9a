"""Which layers of two files differ, and how far."""

import numpy as np

from portraiture.export.difference.weights import layer_changes, worst_first

A, B = np.arange(1.0, 7.0).reshape(2, 3), np.array([3.0, 4.0])


def test_equal_weights_do_not_differ() -> None:
    found = layer_changes([("a", A), ("b", B)], [("a", A.copy()), ("b", B.copy())])
    assert [c.name for c in found] == ["a", "b"]
    assert worst_first(found) == []


def test_the_size_of_a_change() -> None:
    (found,) = worst_first(layer_changes([("a", A), ("b", B)], [("a", A), ("b", np.array([3.0, 4.5]))]))
    assert found.name == "b"
    assert found.largest == 0.5
    # sqrt(mean(0, 0.25)) / sqrt(mean(9, 16))
    assert np.isclose(found.relative_rms or 0, 0.1)


def test_the_farthest_comes_first_and_what_is_missing_before_it() -> None:
    old = [("a", A), ("b", B), ("gone", np.zeros(5))]
    new = [("a", A * 1.5), ("b", B * 1.1), ("more", np.zeros(4))]
    found = worst_first(layer_changes(old, new))
    assert [(c.name, c.only) for c in found] == [("more", "new"), ("gone", "old"), ("a", ""), ("b", "")]


def test_a_new_name_is_no_new_layer() -> None:
    old = [("x.a", A), ("x.c", A + 1), ("b", B)]
    found = layer_changes(old, [("y.a", A), ("y.c", A + 1), ("b", B)])
    assert worst_first(found) == []


def test_another_shape_is_another_layer() -> None:
    found = worst_first(layer_changes([("a", A)], [("a", A.reshape(3, 2))]))
    assert [(c.shape, c.only) for c in found] == [((3, 2), "new"), ((2, 3), "old")]


def test_nan_differs_and_json_holds_it() -> None:
    (found,) = worst_first(layer_changes([("b", B)], [("b", np.array([np.nan, 4.0]))]))
    assert found.to_json()["largest"] == "inf"
    (zero,) = worst_first(layer_changes([("b", B * 0)], [("b", B)]))
    assert zero.to_json()["relative_rms"] == "inf"
    both = np.array([np.nan, 4.0])
    assert worst_first(layer_changes([("b", both)], [("b", both.copy())])) == []
