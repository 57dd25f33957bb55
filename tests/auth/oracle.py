"""eth-account, without what comes with it: a library below it lifts the limit of recursion, which others test."""

import sys

_LIMIT = sys.getrecursionlimit()

from eth_account import Account as Account  # noqa: E402
from eth_account.messages import encode_defunct as encode_defunct  # noqa: E402
from eth_account.messages import encode_typed_data as encode_typed_data  # noqa: E402

sys.setrecursionlimit(_LIMIT)
