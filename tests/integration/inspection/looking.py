"""What a test looks at: a sample, and the pixels of its pictures."""

from __future__ import annotations

import base64
from typing import Any

import cv2
import fiftyone as fo
import numpy as np

from fiftyone_cocomask.datasets.inspection.inspect import inspect_sample
from fiftyone_cocomask.datasets.inspection.result import SampleInspection

from ..evaluations.conftest import Samples


def inspect(samples: Samples, sample: fo.Sample, **kwargs: Any) -> SampleInspection:
    return inspect_sample(samples.dataset, sample.id, **kwargs)


def pixels(url: str | None) -> np.ndarray:
    assert url is not None
    data = np.frombuffer(base64.b64decode(url.partition(",")[2]), np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    assert image is not None
    return image
