"""Fitted tree ensembles of three libraries, turned into the arrays of :class:`Trees`.

Each conversion is checked against the library's own answers before it is trusted.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ...analysis.classifier.scoring import Floats, Ints, Trees

_TOLERANCE = 1e-3


class _Tree(NamedTuple):
    """One tree, its links counted from its own first node."""

    feature: Any
    threshold: Any
    left: Any
    right: Any
    values: Any


def from_forest(model: Any, columns: Ints) -> Trees:
    """A scikit-learn random forest."""
    fitted = []
    for estimator in model.estimators_:
        tree = estimator.tree_
        at = np.arange(tree.node_count)
        leaf = tree.children_left < 0
        # A threshold has more digits than a feature: rounded down, it parts the same features.
        threshold = tree.threshold.astype(np.float32)
        threshold = np.where(threshold > tree.threshold, np.nextafter(threshold, np.float32(-np.inf)), threshold)
        votes = tree.value[:, 0, :]
        fitted.append(
            _Tree(
                np.where(leaf, 0, tree.feature),
                threshold,
                np.where(leaf, at, tree.children_left),
                np.where(leaf, at, tree.children_right),
                np.where(leaf[:, None], votes / votes.sum(axis=1, keepdims=True), 0),
            )
        )
    return _joined(fitted, columns, votes=True)


def from_xgboost(booster: Any, columns: Ints, rows: Floats) -> Trees:
    """An XGBoost booster; ``rows`` are some tickets to check it with."""
    from xgboost import DMatrix

    learner = json.loads(booster.save_raw("json"))["learner"]
    model = learner["gradient_booster"]["model"]
    margins = np.asarray(booster.predict(DMatrix(rows), output_margin=True), np.float32)
    labels = 1 if margins.ndim == 1 else margins.shape[1]
    fitted = []
    for group, tree in zip(model["tree_info"], model["trees"], strict=True):
        left, right = np.array(tree["left_children"]), np.array(tree["right_children"])
        at, leaf = np.arange(len(left)), left < 0
        condition = np.array(tree["split_conditions"], np.float32)
        values = np.zeros((len(left), labels), np.float32)
        values[leaf, group] = condition[leaf]
        fitted.append(
            _Tree(
                np.where(leaf, 0, np.array(tree["split_indices"])),
                np.nextafter(condition, np.float32(-np.inf)),  # here "less than" goes left
                np.where(leaf, at, left),
                np.where(leaf, at, right),
                values,
            )
        )
    return _with_bias(_joined(fitted, columns), rows, margins.reshape(len(rows), labels))


def from_catboost(model: Any, columns: Ints, rows: Floats) -> Trees:
    """A CatBoost model; its trees ask the same question at each node of a level."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        model.save_model(str(path), format="json")
        stored = json.loads(path.read_text(encoding="utf-8"))
    raw = np.asarray(model.predict(rows, prediction_type="RawFormulaVal"), np.float32)
    raw = raw.reshape(len(rows), -1)
    labels = raw.shape[1]
    scale = float(stored.get("scale_and_bias", [1.0])[0])
    fitted = []
    for tree in stored["oblivious_trees"]:
        splits = list(reversed(tree["splits"] or []))
        depth = len(splits)
        inner = 2**depth - 1
        at = np.arange(2 * inner + 1)
        level = np.floor(np.log2(at[:inner] + 1)).astype(int) if inner else np.empty(0, int)
        feature, threshold = np.zeros(len(at)), np.zeros(len(at))
        feature[:inner] = [splits[n]["float_feature_index"] for n in level]
        threshold[:inner] = [splits[n]["border"] for n in level]
        left, right = at.copy(), at.copy()
        left[:inner], right[:inner] = 2 * at[:inner] + 1, 2 * at[:inner] + 2
        values = np.zeros((len(at), labels))
        values[inner:] = scale * np.array(tree["leaf_values"]).reshape(2**depth, labels)
        fitted.append(_Tree(feature, threshold, left, right, values))
    return _with_bias(_joined(fitted, columns), rows, raw)


def checked(ensemble: Trees, rows: Floats, expected: npt.NDArray[Any]) -> Trees:
    """``ensemble``, if it scores ``rows`` as expected. Raises ``ValueError``."""
    if not np.allclose(ensemble.scores_of(rows[:200]), expected[:200], atol=_TOLERANCE, rtol=_TOLERANCE):
        raise ValueError("the trees could not be converted faithfully")
    return ensemble


def _with_bias(ensemble: Trees, rows: Floats, expected: Floats) -> Trees:
    """The start that the library adds to its trees is what is left on one row; the others must agree."""
    bias = expected[0] - ensemble.scores_of(rows[:1])[0]
    values, bias = ensemble.values, bias.astype(np.float32)
    if expected.shape[1] == 1:  # two labels: one column that speaks for the second
        values, bias = np.hstack((-values / 2, values / 2)), np.array([-bias[0] / 2, bias[0] / 2], np.float32)
        expected = np.hstack((-expected / 2, expected / 2))
    whole = Trees(
        ensemble.columns,
        ensemble.roots,
        ensemble.feature,
        ensemble.threshold,
        ensemble.left,
        ensemble.right,
        values,
        bias,
    )
    return checked(whole, rows, expected)


def _joined(fitted: list[_Tree], columns: Ints, *, votes: bool = False) -> Trees:
    roots = np.cumsum([0, *(len(tree.feature) for tree in fitted[:-1])]).astype(np.int32)

    def links(name: str) -> Ints:
        parts = [getattr(tree, name) + root for tree, root in zip(fitted, roots, strict=True)]
        return np.concatenate(parts).astype(np.int32)

    def joined(name: str) -> npt.NDArray[Any]:
        return np.concatenate([getattr(tree, name) for tree in fitted])

    values = joined("values").astype(np.float32)
    return Trees(
        columns,
        roots,
        joined("feature").astype(np.int32),
        joined("threshold").astype(np.float32),
        links("left"),
        links("right"),
        values,
        np.zeros(values.shape[1], np.float32),
        votes=votes,
    )
