"""The samples that an operator works on."""

from __future__ import annotations

from ..fiftyone_types import ExecutionContext, SampleCollection


def target_samples(ctx: ExecutionContext) -> SampleCollection:
    """Returns the samples to work on: of patches, those that they are of.

    Of groups those of the slice that the App shows, and the form says so.
    """
    from ..datasets.documents import ungrouped_samples, whole_samples

    view = ctx.target_view()
    samples = ungrouped_samples(view)
    # Dynamic groups have no slice that FiftyOne could choose.
    is_flat = samples is not view and samples.media_type != "group"
    return samples if is_flat else whole_samples(ctx.target_view(require_flat=True))


def target_slices(ctx: ExecutionContext) -> SampleCollection:
    """Returns the samples to work on, for functions that take all slices of groups."""
    from ..datasets.documents import whole_samples

    return whole_samples(ctx.target_view())


def num_images(samples: SampleCollection) -> int:
    """Returns the number of images, of groups in all slices."""
    from ..datasets.documents import all_images, num_samples

    return num_samples(all_images(samples))
