"""Text that the App takes for Markdown is shown as it is."""

from __future__ import annotations

from html import unescape

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from fiftyone_cocomask.operators.markdown import bold, code, code_block, plain, unmarked

# Printable, and what Markdown makes something of.
TEXTS = st.text(st.sampled_from("ab1 _*`![]()<>#|~&;$\\-+=.:/@\n\té"), max_size=30)


def shown(markdown: str) -> str:
    """Returns the text that a reader sees, as one that Markdown made nothing of."""
    html = MarkdownIt("gfm-like", {"linkify": False}).render(markdown).strip()
    return unescape(html.removeprefix("<p>").removesuffix("</p>"))


@given(TEXTS)
@example("![x](http://example.com/x.png)")
@example("1. a")
@example("- a")
@example("---")
@example("mask_area_px and _this_")
@example("&lt; &#33;")
def test_plain_text_is_shown_as_it_is(text: str) -> None:
    assert shown(plain(text)) == " ".join(text.split())
    assert unmarked(plain(text)) == " ".join(text.split())


@given(TEXTS)
@example("`![x](http://example.com/x.png)`")
def test_code_is_shown_as_it_is(text: str) -> None:
    line = " ".join(text.split())
    if line:
        assert shown(code(text)) == f"<code>{line}</code>"


def test_addresses_are_not_taken_for_ones_before_they_are_unescaped() -> None:
    # The App makes links of those in the text that is left.
    assert plain("http://a/?b&c") == r"http:\//a/?b\&c"
    assert plain("www.a~b, c@d.e") == r"www\.a\~b, c\@d.e"


@given(TEXTS, TEXTS)
@example("```\n![x](http://example.com/x.png)", "")
def test_a_block_of_code_is_shown_as_it_is(first: str, second: str) -> None:
    text = f"x{first}\n{second}x"
    assert (
        MarkdownIt("gfm-like", {"linkify": False}).parse(code_block(text))[0].content
        == f"{text}\n"
    )


def test_only_what_is_bold_is_bold() -> None:
    assert shown(bold("a*b")) == "<strong>a*b</strong>"


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("Run **Compute masks** first", "Run Compute masks first"),
        ("Files in `a_b`", "Files in a_b"),
        (f"Dataset '{plain('a*b')}'", "Dataset 'a*b'"),
    ],
)
def test_marks_are_left_out_where_text_is_shown_as_it_is(
    markdown: str, expected: str
) -> None:
    assert unmarked(markdown) == expected
