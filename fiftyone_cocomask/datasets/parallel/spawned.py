"""Run first in a spawned process: makes the package importable under its given name.

Then the process is made a worker as a forked one is.

``package`` and ``folder`` come from :mod:`.processes`, which runs this file.
"""

import sys
import types
from importlib import import_module, util
from pathlib import Path

package: str = globals()["package"]
folder: str = globals()["folder"]

try:
    import_module(package)
except ImportError:
    parents = package.split(".")[:-1]
    for end in range(1, len(parents) + 1):
        name = ".".join(parents[:end])
        if name not in sys.modules:
            parent = types.ModuleType(name)
            parent.__path__ = []
            sys.modules[name] = parent
    spec = util.spec_from_file_location(package, Path(folder, "__init__.py"))
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    sys.modules[package] = module
    spec.loader.exec_module(module)

import_module(f"{package}.datasets.parallel.processes").prepare_worker()
