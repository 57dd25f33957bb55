"""When Python looks for garbage."""

import gc


def seldom() -> None:
    """Look for cycles a hundred times less often than usual, and never again at what is here now.

    Events and answers are freed by counting references; looking for cycles among hundreds of thousands of them took a
    quarter of the time of a load. Call it once the program has been imported and opened what it needs.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
