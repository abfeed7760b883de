"""A corpus keeps signed bytes as they were signed, and refuses a file that was cut."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.corpus import MAX_MESSAGE, read_corpus, write_corpus


@given(messages=st.lists(st.binary(min_size=1, max_size=300), max_size=20))
def test_corpus_returns_the_bytes_written(
    messages: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Every message comes back byte for byte and in order."""
    path = tmp_path_factory.mktemp("corpus") / "corpus"

    write_corpus(path, messages)

    assert read_corpus(path) == messages


@pytest.mark.parametrize(
    "content",
    [b"\x00\x00", b"\x00\x00\x00\x05abcd", b"\x00\x00\x00\x00", (MAX_MESSAGE + 1).to_bytes(4)],
)
def test_corpus_that_is_cut_or_damaged_is_refused(content: bytes, tmp_path: Path) -> None:
    """A load never begins with half a message."""
    path = tmp_path / "corpus"
    path.write_bytes(content)

    with pytest.raises(ValueError, match="cut or damaged"):
        read_corpus(path)
