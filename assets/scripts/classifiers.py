"""Classifiers of scikit-learn, XGBoost and LightGBM that learn samples, as ONNX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Values = np.ndarray[tuple[int, ...], np.dtype[Any]]


def scikit_learn(model: Any, x: Values, y: Values) -> Any:
    """A model of scikit-learn, with labels and a tensor of probabilities as outputs."""
    from skl2onnx import to_onnx

    return to_onnx(model.fit(x, y), x[:1], options={"zipmap": False})


def logistic(x: Values, y: Values, seed: int) -> Any:
    """Scaled features and a logistic regression."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return scikit_learn(make_pipeline(StandardScaler(), LogisticRegression(random_state=seed)), x, y)


def perceptron(x: Values, y: Values, seed: int) -> Any:
    """Scaled features and two hidden layers."""
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return scikit_learn(make_pipeline(StandardScaler(), MLPClassifier((64, 64), random_state=seed)), x, y)


def forest(x: Values, y: Values, seed: int) -> Any:
    """100 trees of depth 8 or less."""
    from sklearn.ensemble import RandomForestClassifier

    return scikit_learn(RandomForestClassifier(100, max_depth=8, random_state=seed), x, y)


def xgboost(x: Values, y: Values, seed: int) -> Any:
    """50 rounds of boosting, with a tree for every class."""
    from onnxmltools.convert import convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType
    from xgboost import XGBClassifier

    model = XGBClassifier(n_estimators=50, max_depth=4, random_state=seed).fit(x, y)
    return convert_xgboost(model, initial_types=[("x", FloatTensorType([None, x.shape[1]]))])


def lightgbm(x: Values, y: Values, seed: int) -> Any:
    """50 rounds of boosting, with a tree for every class."""
    from lightgbm import LGBMClassifier
    from onnxmltools.convert import convert_lightgbm
    from onnxmltools.convert.common.data_types import FloatTensorType

    model = LGBMClassifier(n_estimators=50, max_depth=4, random_state=seed, verbose=-1).fit(x, y)
    types = [("x", FloatTensorType([None, x.shape[1]]))]
    return convert_lightgbm(model, initial_types=types, zipmap=False)


CLASSIFIERS: dict[str, Callable[[Values, Values, int], Any]] = {
    "logistic": logistic,
    "perceptron": perceptron,
    "forest": forest,
    "xgboost": xgboost,
    "lightgbm": lightgbm,
}
