import logging.config
import os

import yaml

with open(os.path.join(os.environ["ROOT"], "etc/shop/service.yaml")) as file:
    settings = yaml.safe_load(file)
logging.config.dictConfig(settings["logging"])
logging.getLogger("shop").warning("listening on %s", settings["http"]["port"])
