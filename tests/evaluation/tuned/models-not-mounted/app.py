import os
from pathlib import Path

from tabulate import tabulate

MODELS = Path(os.environ.get("ROOT", "/")) / "srv/models"

labels = (MODELS / "labels.txt").read_text().split()
print(tabulate([[label, len(label)] for label in labels]))
