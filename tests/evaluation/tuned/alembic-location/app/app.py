import os

from alembic.config import Config
from alembic.script import ScriptDirectory

settings = Config(os.path.join(os.environ["ROOT"], "etc/shop/alembic.ini"))
print(ScriptDirectory.from_config(settings).get_heads())
