"""What a field may be called that a function of the SDK adds to a dataset."""

from __future__ import annotations

import fiftyone as fo
import fiftyone.core.odm as foo

from ..arguments import check_name, shown
from ..errors import CocoMaskError

# What the import itself writes on each sample.
IMPORT_FIELDS = frozenset(
    {
        *("coco_id", "coco_id_text", "coco_original", "file_name"),
        *("import_base", "import_issues", "source_name", "split"),
    }
)
# Names of FiftyOne's samples and of its documents, methods among them: a field of such
# a name would take their place.
_NAMES_OF_SAMPLES = frozenset({*dir(foo.DatasetSampleDocument), *dir(fo.Sample)})


def check_new_field(option: str, name: str) -> None:
    """Checks that a field may have a name.

    Raises:
        CocoMaskError: if it may not
    """
    check_name(option, name, "a field name")
    if name in _NAMES_OF_SAMPLES or name in ("frames", "groups", "sample_id"):
        raise CocoMaskError(
            f"{option} must not be {shown(name)}, a name that FiftyOne's samples use "
            "themselves"
        )
    if name in IMPORT_FIELDS:
        raise CocoMaskError(
            f"{option} must not be {shown(name)}, a field that imports write themselves"
        )
