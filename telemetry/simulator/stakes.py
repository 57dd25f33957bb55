"""What simulated orchestrators have staked: a row a day, as a file of stake has it. The feed itself carries none."""

from collections.abc import Iterable, Iterator

from metrics.exact import UNIT, decimal_text
from telemetry.simulator.chance import chance
from telemetry.simulator.options import Options

DAY_MS = 86_400_000
REWARD_PPM = 350  # of the stake, each day


def stake_rows(options: Options, wallets: Iterable[str]) -> Iterator[tuple[str, int, int]]:
    """(wallet, LPTU, Unix ms): at the beginning of the simulated time, and daily from then on until its end."""
    for wallet in sorted(set(wallets)):
        lptu = chance(options.seed, "stake", wallet).randrange(1_000 * UNIT, 2_000_000 * UNIT)
        for at_ms in range(options.start_ms, options.end_ms, DAY_MS):
            yield wallet, lptu, at_ms
            lptu += lptu * REWARD_PPM // 10**6


def stake_lines(rows: Iterable[tuple[str, int, int]]) -> Iterator[bytes]:
    """The rows as lines of CSV."""
    yield b"address,lpt,time"
    for wallet, lptu, at_ms in rows:
        yield f"{wallet},{decimal_text(lptu)},{at_ms}".encode()
