"""The model, as the training job wrote it."""

from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd


class WrongColumns(ValueError):
    """The features are not those that the model was trained on."""


class Model:
    def __init__(self, booster: lgb.Booster) -> None:
        self._booster = booster

    @classmethod
    def load(cls, file: Path) -> "Model":
        return cls(lgb.Booster(model_file=str(file)))

    def score(self, features: pd.DataFrame) -> np.ndarray:
        if list(features.columns) != self._booster.feature_name():
            raise WrongColumns(", ".join(self._booster.feature_name()))
        return self._booster.predict(features)
