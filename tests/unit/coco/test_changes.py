"""Changes that are kept in little memory are the ones that were added."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from fiftyone_cocomask.coco.changes import AnnotationChange, Change, ChangeList

IDS = st.none() | st.integers() | st.text(max_size=3) | st.sampled_from([-(2**63), 7])
NAMES = st.none() | st.sampled_from(["wing", "body", ""])
SHARES = st.none() | st.floats(0, 1)
OBJECT_IDS = st.none() | st.text(max_size=3) | st.binary(min_size=12).map(bytes.hex)
CHANGES = st.lists(
    st.builds(
        AnnotationChange,
        st.sampled_from(Change),
        st.sampled_from(["train", "valid"]),
        st.sampled_from(["a.jpg", "b.jpg"]),
        *(IDS, IDS, NAMES, NAMES, SHARES, SHARES, OBJECT_IDS, OBJECT_IDS),
    ),
    max_size=5,
)


@given(CHANGES)
@settings(max_examples=50)
def test_changes_come_back_as_they_were(changes: list[AnnotationChange]) -> None:
    kept = ChangeList()
    for change in changes:
        kept.add(change)
    assert list(kept) == changes
    table = kept.table()
    for name in AnnotationChange.__dataclass_fields__:
        expected = [getattr(change, name) for change in changes]
        if name == "change":
            expected = [change.value for change in expected]
        found = [None if v is None or v != v else v for v in table[name]]
        assert found == expected
        if name.endswith("_id"):
            assert list(map(type, found)) == list(map(type, expected))
