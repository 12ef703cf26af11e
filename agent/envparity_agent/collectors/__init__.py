"""The collectors, in the order in which they run."""

from functools import partial

from envparity_agent.collectors.configuration import files, services
from envparity_agent.collectors.containers import container
from envparity_agent.collectors.interface import Collector
from envparity_agent.collectors.python import environments
from envparity_agent.collectors.system import distribution, libraries, machine, packages, settings

_OS = Collector("os", "os", distribution.collect)
_MACHINE = Collector("os/machine", "machine", machine.collect)
_SETTINGS = Collector("os/settings", "settings", settings.collect)
_LIBRARIES = Collector("os/libraries", "libraries", libraries.collect)
_PACKAGES = Collector("os-packages", "os-packages", packages.collect)
_PYTHON = Collector("python", "python-search", environments.collect)
_FILES = Collector("config", "file", files.collect)
_SERVICES = Collector("services", "configuration", services.collect)

PYTHON_ONLY = (_PYTHON,)
# what a root that is not a host's has: no machine, no engine
INSIDE = (_OS, _SETTINGS, _PACKAGES, _PYTHON, _LIBRARIES)
ROOT = (*INSIDE, _FILES, _SERVICES)  # what a root has that may be a host's
_CONTAINERS = Collector("containers", "containers", partial(container.collect, inside=INSIDE))

COLLECTORS = (_OS, _MACHINE, _SETTINGS, _PACKAGES, _PYTHON, _LIBRARIES, _FILES, _SERVICES, _CONTAINERS)
