"""What a merge into a dataset does, in numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from ..words import agree, count


@dataclass(slots=True)
class MergeCounts:
    """What was or would be done to a dataset by an import.

    An annotation counts once, though it is a polyline and a detection. Each number is
    an attribute and an item: ``report.merge.conflicts``, ``report.merge["conflicts"]``.

    Attributes:
        images_new: the images that the dataset did not have
        images_moved: the images that are in another split now
        images_gone: the images that the dataset has and the export no longer
        images_deleted: the images that the dataset had from an earlier version, that a
            person has deleted from it since, and that stay out
        labels_updated: the annotations that took a change of the export
        labels_added: the annotations that are new, those of new images among them
        labels_deleted: the annotations that the export no longer has
        edits_kept: the annotations that a person edited, relabelled, deleted or added,
            and the export did not touch
        conflicts: the annotations that a person and the export changed in different
            ways
        old_copies: of the images that are gone, those of whose source the export has
            copies that were augmented again
        old_copies_deleted: those of them that were deleted, as was asked for
        labels_replaced: the annotations that the dataset had of the export's images,
            if nearly all of them are others now; such an export may be of another
            project. Otherwise 0
    """

    images_new: int = 0
    images_moved: int = 0
    images_gone: int = 0
    images_deleted: int = 0
    labels_updated: int = 0
    labels_added: int = 0
    labels_deleted: int = 0
    edits_kept: int = 0
    conflicts: int = 0
    old_copies: int = 0
    old_copies_deleted: int = 0
    labels_replaced: int = 0

    def __getitem__(self, name: str) -> int:
        return self.to_dict()[name]

    def to_dict(self) -> dict[str, int]:
        """Returns the numbers by name."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Returns the numbers in words, without those that are 0 and the new."""
        copies = agree(self.old_copies, "is an older copy", "are older copies")
        kept = "kept in the dataset"
        if self.old_copies_deleted:
            kept = f"{self.images_gone - self.old_copies_deleted:,} of them {kept}"
        said = {
            "images_new": f"{count(self.images_new, 'image')} added",
            "images_moved": f"{count(self.images_moved, 'image')} moved to another "
            "split",
            "images_gone": f"{count(self.images_gone, 'image')} gone from the export, "
            + kept,
            "images_deleted": f"{count(self.images_deleted, 'image')} that you deleted "
            + agree(self.images_deleted, "stays out", "stay out"),
            "labels_updated": f"{count(self.labels_updated, 'annotation')} updated",
            "labels_added": f"{count(self.labels_added, 'annotation')} added",
            "labels_deleted": f"{count(self.labels_deleted, 'annotation')} deleted",
            "edits_kept": f"{count(self.edits_kept, 'edit')} of yours kept",
            "conflicts": count(self.conflicts, "conflict"),
            "old_copies": f"{self.old_copies:,} of the images gone {copies} of sources "
            "that the export has augmented again",
            "old_copies_deleted": f"{self.old_copies_deleted:,} of these deleted",
            "labels_replaced": f"{count(self.labels_replaced, 'annotation')} replaced, "
            "nearly all that these images have: if the export is of another project, "
            "give it other fields",
        }
        assert list(said) == [field.name for field in fields(self)]
        return [said[name] for name, number in self.to_dict().items() if number]
