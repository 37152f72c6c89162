"""What the SDK says of its arguments, said of a command's options."""

from __future__ import annotations

import pytest

from fiftyone_cocomask.cli.option_names import in_options

OPTIONS = {
    *("overwrite", "output_dir", "label_field", "boxes", "values", "workers"),
    # What has no option.
    "path",
}


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            "/a is not empty; give another output_dir, or overwrite=True to replace it",
            "/a is not empty; give another --output-dir, or --overwrite to replace it",
        ),
        ("set overwrite, or not", "set --overwrite, or not"),
        ("boxes='draw' needs one", "--boxes draw needs one"),
        ("values= needs output_dir=, since", "--values needs --output-dir, since"),
        ("num_workers must be 0 or more", "--workers must be 0 or more"),
        ("give label_field= a field", "give --label-field a field"),
        ("output_dir must be a folder", "--output-dir must be a folder"),
        ("boxes must be a list of texts", "--boxes must be a list of texts"),
    ],
)
def test_arguments_become_options(said: str, shown: str) -> None:
    assert in_options(said, OPTIONS) == shown


def test_an_option_of_another_name_is_found() -> None:
    said = "give another eval_key"
    assert in_options(said, {"eval_key"}) == "give another --eval-key"
    both = {"area_key", "coverage_key"}
    assert in_options(said, both) == "give another --area-key or --coverage-key"
    said = "give label_field= a field of Polylines"
    assert in_options(said, {"field"}) == "give --field a field of Polylines"


@pytest.mark.parametrize(
    "said",
    [
        "the boxes and their values stay; overwrite nothing",
        "path must be a path, not ''",
        "boxes stay, and boxes must stay",
        "no field 'label_field' and no 'output_dir'",
        "/data/output_dir is a file",
        "/data/output_dir/label_field.json is not valid JSON",
        "label_fields and my_output_dir",
        "give another fix_key",
    ],
)
def test_words_and_names_stay(said: str) -> None:
    assert in_options(said, OPTIONS) == said
