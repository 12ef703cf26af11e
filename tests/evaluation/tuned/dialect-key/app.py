import configparser
import os
from pathlib import Path

from sqlalchemy import create_engine

settings = configparser.ConfigParser()
settings.read(Path(os.environ.get("ROOT", "/")) / "etc/app/app.ini")
engine = create_engine(
    settings["database"]["url"], pool_size=settings.getint("pool", "size"), echo=settings.getboolean("database", "echo")
)
print(engine.dialect.name)
