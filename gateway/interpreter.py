"""How Python shares its time between threads, and when it looks for garbage."""

import gc
import sys

SWITCH_S = 0.0005


def tuned() -> None:
    """Set the interpreter up for loading and serving at once. Call it when the program is imported and its store open.

    Events and answers are freed by counting references; looking for cycles among hundreds of thousands of them took a
    quarter of the time of a load, so that happens hundreds of times less often, and never again at what is here now.
    A thread that comes back from the store waits for the one that reads lines: ten times shorter than by default, which
    made a load a tenth faster.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(1_000_000, 20, 50)
    sys.setswitchinterval(SWITCH_S)
