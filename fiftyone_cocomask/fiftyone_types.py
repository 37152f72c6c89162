"""FiftyOne's types under their names, without loading FiftyOne.

For a type checker they are FiftyOne's own. When the program runs, they are ``Any``:
annotations are also read then (``arguments.py``, ``operators/parameters.py``), and must
not load what the command line and the plugin's registration do without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fiftyone import Dataset as Dataset
    from fiftyone.core.collections import SampleCollection as SampleCollection
    from fiftyone.operators import ExecutionContext as ExecutionContext
else:
    Dataset = SampleCollection = ExecutionContext = Any
