"""Progress: drawn on a terminal, silent elsewhere."""

import io

from gateway.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_how_far_it_is() -> None:
    terminal = Terminal()
    progress = Progress("dump", 1000, terminal)
    lines = list(progress.over([b"x"] * 3))
    progress.read(1000)
    progress.done()

    assert lines == [b"x"] * 3
    assert "dump: [████████████████████████] 100% 3 events" in terminal.getvalue()


def test_without_a_size_there_is_only_a_count() -> None:
    terminal = Terminal()
    progress = Progress("standard input", None, terminal)
    list(progress.over([b"x"] * 3))
    progress.done()

    assert "standard input: 3 events" in terminal.getvalue()


def test_a_pipe_sees_nothing() -> None:
    pipe = io.StringIO()
    progress = Progress("dump", 1000, pipe)
    list(progress.over([b"x"] * 3))
    progress.say("waiting")
    progress.done()

    assert pipe.getvalue() == ""
