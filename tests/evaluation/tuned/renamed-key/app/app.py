import os
from pathlib import Path

from exports import Exporter
from settings import load

settings = load(Path(os.environ.get("ROOT", "/")) / "etc/shop/settings.yaml")
print(Exporter(settings["exports"]).describe())
