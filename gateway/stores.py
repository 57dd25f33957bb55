"""Opening what NAAP_BACKEND names: one store, or several behind one."""

import logging
from collections.abc import Callable
from typing import NamedTuple

from backends.asking import Member
from backends.backend import Backend
from backends.federated import Federated
from backends.later import Later
from gateway.places import is_several, places_of
from gateway.settings import Settings
from gateway.store import Store, open_store
from metrics.errors import StoreUnavailable

log = logging.getLogger("naap.stores")


class Opened(NamedTuple):
    """What answers, and the store that new events go to, if there is one."""

    backend: Backend
    store: Store | None


def open_stores(settings: Settings) -> Opened:
    """What the settings name, opened. Of several, one that is away is opened later, where answers may be partial.

    Raises BadRequest and StoreUnavailable.
    """
    places = places_of(settings.backend)
    if not is_several(settings.backend):
        store = open_store(places[0].url, settings)
        return Opened(store, store)
    partial = settings.partial_answers == "allow"
    writing: Store | None = None
    members: list[Member] = []
    away: list[StoreUnavailable] = []
    for place in places:
        try:
            store = open_store(place.url, settings)
        except StoreUnavailable as error:
            if place.writes or not partial:
                raise
            log.warning("store %s cannot be opened and is tried again later: %s", place.name, error)
            away.append(error)
            members.append(Member(place.name, Later(_opening(place.url, settings), error), place.part))
            continue
        members.append(Member(place.name, store, place.part))
        writing = store if place.writes or len(places) == 1 else writing
    if len(away) == len(places):
        raise away[0]
    return Opened(Federated(members, min(settings.store_timeout_s, settings.read_seconds), partial), writing)


def _opening(url: str, settings: Settings) -> Callable[[], Backend]:
    return lambda: open_store(url, settings)
