"""Lists of ids do what sets of them do."""

from __future__ import annotations

import random

import pytest
from bson import ObjectId

from fiftyone_cocomask.datasets.issues.id_lists import IdList, Ids


def ids(number: int) -> list[Ids]:
    """Returns labels, three of each sample; some ids end in zeros, or are zeros."""
    found = []
    for place in range(number):
        sample, label = f"{place // 3:024x}", f"{place:06x}".ljust(24, "0")
        found.append((ObjectId(sample), ObjectId(label)))
    return found


def list_of(labels: list[Ids]) -> IdList:
    found = IdList()
    for sample_id, label_id in labels:
        found.append(sample_id, label_id)
    return found


@pytest.fixture
def labels() -> list[Ids]:
    found = ids(1000)
    random.Random(7).shuffle(found)
    return found


def test_labels_come_back_in_order(labels: list[Ids]) -> None:
    found = list_of(labels)
    assert len(found) == 1000
    assert list(found) == labels
    assert [len(batch) for batch in found.batches(400)] == [400, 400, 200]
    assert [label for batch in found.batches(400) for label in batch] == labels
    assert list(IdList().batches(400)) == []
    with pytest.raises(IndexError):
        found[1000]


def test_each_label_and_each_sample_is_named_once(labels: list[Ids]) -> None:
    twice = list_of(labels) + list_of(labels[:300])
    assert len(twice) == 1300
    assert list(twice.distinct()) == labels
    assert twice.sample_ids() == sorted({sample_id for sample_id, _ in labels})
    assert list(IdList().distinct()) == IdList().sample_ids() == []


def test_labels_of_another_list_are_left_out(labels: list[Ids]) -> None:
    found = list_of(labels)
    others = [*labels[100:700:2], (ObjectId(), ObjectId())]
    assert list(found.without(list_of(others))) == [
        x for x in labels if x not in others
    ]
    assert list(found.without(IdList())) == labels
    assert list(IdList().without(found)) == []
