"""Labels ranked by how well their outlines lie on edges of their images."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import fiftyone.core.utils as fou
from fiftyone import ViewField as F

from ...arguments import checked
from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ..database_errors import explain_database_errors
from ..documents import current_dataset, num_samples, root_dataset, settle
from ..documents.runs import begin_run, delete_run, run_results
from ..gone_fields import first_missing, missing_field_error
from ..label_lists import LabelList
from ..locks import RUN_OF, locked, one_at_a_time
from ..owned_fields import delete_fields, owned_paths
from ..robust_scale import RobustScale
from ..run_keys import check_key
from ..targets import Samples, checked_samples
from .ranking import OutlineRanking
from .scores import OutlineScores, ranking_fields

METHOD = "cocomask/outlines"


@explain_database_errors()
@checked
@one_at_a_time(RUN_OF)
def rank_mask_outlines(
    samples: fo.Dataset | fo.DatasetView,
    label_field: str = "segmentations",
    *,
    eval_key: str = "outline",
    progress: Any = None,
) -> OutlineRanking:
    """Ranks labels by how well their outlines lie on edges of their images.

    It is a ranking to look through, not a verdict: fur, ultrasound and objects that
    look like what is behind them have no edge that can be seen. Needs no model.

    Writes on each label ``<eval_key>_edge``, ``_offset``, ``_contrast`` and ``_score``,
    and on each sample ``<eval_key>_worst``, the lowest score of its labels, to sort by.

    Example::

        import fiftyone_cocomask as fcm

        ranking = fcm.rank_mask_outlines(dataset)
        print(ranking.worst(20))

    Args:
        samples: the dataset or view; of a grouped one, its active slice
        label_field: a field of Polylines, or of Detections with masks
        eval_key: the key of the ranking, with which its fields begin. A ranking of
            this key is replaced
        progress: whether to render a progress bar (True/False), FiftyOne's default
            (None), or a function to call with the bar

    Returns:
        an :class:`OutlineRanking`

    Raises:
        CocoMaskError: if an argument does not fit; nothing has been written then
    """
    samples = checked_samples(samples)
    dataset = root_dataset(samples)
    labels = LabelList.of_field(dataset, label_field)
    fields = ranking_fields(eval_key, labels)
    check_ranking(dataset, eval_key, label_field)
    config = dataset.init_run(
        method=METHOD, label_field=label_field, label_path=labels.path
    )
    if eval_key in dataset.list_runs():
        outdated = set(owned_paths(dataset, fields.owner()))
        if samples is dataset:
            # All of their values are written anew.
            outdated -= set(fields.paths)
        delete_fields(dataset, sorted(outdated), eval_key)
    # Without results, so that one that is stopped before its end is known as such.
    begin_run(dataset, eval_key, config)
    fields.declare(dataset)
    ranked = OutlineScores(samples, labels, fields)
    with fou.ProgressBar(total=num_samples(samples), progress=progress) as bar:
        for number in ranked.measure():
            bar.update(number)
    scales = ranked.scales()
    ranked.score(scales)
    settle(dataset)
    results = dataset.init_run_results(
        eval_key,
        skipped=ranked.skipped,
        num_skipped=ranked.num_skipped,
        scales=[[name, s.median, s.mad] for name, s in scales.items()],
    )
    dataset.save_run_results(eval_key, results, overwrite=True)
    return OutlineRanking(dataset, eval_key, labels, ranked.skipped, ranked.num_skipped)


@explain_database_errors()
@checked
def load_outline_ranking(samples: Samples, eval_key: str = "outline") -> OutlineRanking:
    """Returns a ranking that was made before.

    Raises:
        CocoMaskError: if there is none of that key, it was stopped before its end, or
            the field of its labels, or one of its own, is gone
    """
    dataset = root_dataset(samples)
    config = _config(dataset, eval_key)
    stored = run_results(dataset, eval_key) if config is not None else None
    if config is None or stored is None:
        keys = ", ".join(list_outline_rankings(dataset)) or "none"
        raise CocoMaskError(
            f"Dataset '{dataset.name}' has no finished ranking of outlines "
            f"'{eval_key}' (it has {keys})"
        )
    labels = LabelList(config.label_field, config.label_path)
    needed = (labels.field, *ranking_fields(eval_key, labels).paths)
    if (missing := first_missing(dataset, *needed)) is not None:
        raise missing_field_error(
            "The ranking of outlines", eval_key, missing, "rank outlines"
        )
    skipped = list(stored.skipped)
    # Rankings of earlier versions have not stored it.
    num_skipped = getattr(stored, "num_skipped", len(skipped))
    return OutlineRanking(dataset, eval_key, labels, skipped, num_skipped)


def rank_again(samples: SampleCollection, eval_key: str, progress: Any) -> int:
    """Measures and scores outlines anew of those samples that a ranking is of.

    The scales of the classes stay as they were, and so do the scores of others.

    Args:
        samples: a view of the dataset
        eval_key: the key of a ranking
        progress: as for :func:`rank_mask_outlines`

    Returns:
        the number of the samples
    """
    with locked(root_dataset(samples), RUN_OF.format(eval_key=eval_key)):
        return _rank_again(samples, eval_key, progress)


def _rank_again(samples: SampleCollection, eval_key: str, progress: Any) -> int:
    dataset = root_dataset(samples)
    config = _config(dataset, eval_key)
    stored = run_results(dataset, eval_key)
    # Rankings of earlier versions know no scales, and those that were stopped nothing.
    scales = getattr(stored, "scales", None)
    if scales is None:
        return 0
    labels = LabelList(config.label_field, config.label_path)
    fields = ranking_fields(eval_key, labels)
    # Its own fields say which: of labels where an undone deletion has brought them all
    # back. The match on them would not hold once they are measured.
    edge = fields.label_paths[0].rpartition(".")[2]
    is_ranked = F(fields.sample_paths[0]) != None  # noqa: E711
    has_ranked = F(labels.path).filter(F(edge) != None).length() > 0  # noqa: E711
    ids = samples.match(is_ranked | has_ranked).values("id")
    again = OutlineScores(samples.select(ids), labels, fields)
    with fou.ProgressBar(total=len(ids), progress=progress) as bar:
        for number in again.measure():
            bar.update(number)
    again.score({name: RobustScale(*scale) for name, *scale in scales})
    return int(bar.iteration)


@explain_database_errors()
@checked
def list_outline_rankings(samples: Samples) -> list[str]:
    """Returns the keys of a dataset's rankings of outlines, sorted."""
    dataset = root_dataset(samples)
    return [key for key in dataset.list_runs() if _config(dataset, key)]


@explain_database_errors()
@checked
@one_at_a_time(RUN_OF)
def delete_outline_ranking(samples: Samples, eval_key: str = "outline") -> None:
    """Deletes a ranking and its fields.

    Raises:
        CocoMaskError: if there is none of that key
    """
    dataset = current_dataset(samples)
    config = _config(dataset, eval_key)
    if config is None:
        keys = ", ".join(list_outline_rankings(dataset)) or "none"
        raise CocoMaskError(
            f"Dataset '{dataset.name}' has no ranking of outlines '{eval_key}' (it has "
            f"{keys})"
        )
    fields = ranking_fields(eval_key, LabelList(config.label_field, config.label_path))
    delete_fields(dataset, owned_paths(dataset, fields.owner()), eval_key)
    delete_run(dataset, "runs", eval_key)


def check_ranking(dataset: fo.Dataset, eval_key: str, label_field: str) -> None:
    """Checks that outlines may be ranked under a key.

    Raises:
        CocoMaskError: if they may not
    """
    labels = LabelList.of_field(dataset, label_field)
    check_key(dataset, eval_key)
    if eval_key in dataset.list_runs() and _config(dataset, eval_key) is None:
        raise CocoMaskError(
            f"'{eval_key}' is the key of another run of dataset '{dataset.name}'; give "
            "another eval_key"
        )
    ranking_fields(eval_key, labels).check_free(dataset)


def _config(dataset: fo.Dataset, eval_key: str) -> Any:
    """Returns the config of a ranking, None if the key is of another run."""
    if eval_key not in dataset.list_runs():
        return None
    config = dataset.get_run_info(eval_key).config
    return config if config.method == METHOD else None
