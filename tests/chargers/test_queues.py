"""The rows of a station's long queue, as the recorder keeps them."""

from collections.abc import Iterator
from typing import Any

import pytest

from chargers.models import Charger, QueuedMessage
from chargers.services import queues
from simulator.core.tail import SECTION, name_of

pytestmark = pytest.mark.django_db
SAMPLE, END = {"action": "MeterValues", "droppable": True}, {"action": "StopTransaction"}


def kept(charger: Charger, numbers: Iterator[int] | range, call: dict[str, Any] | None) -> tuple[Any, dict[str, Any]]:
    return charger.pk, {name_of(number): call for number in numbers}


def test_the_last_word_of_a_batch_counts(charger: Charger, charger_201: Charger) -> None:
    queues.keep([kept(charger, range(1, 4), SAMPLE), kept(charger_201, range(7, 8), END)])
    queues.keep([kept(charger, range(2, 5), END), kept(charger, range(3, 4), None), kept(charger, range(9, 10), None)])
    assert queues.beyond([charger.pk, charger_201.pk]) == {charger.pk: [-1, 2, 4], charger_201.pk: [7]}
    assert queues.calls(charger.pk, [1, 2, 3]) == {1: SAMPLE, 2: END}


def test_thousands_are_forgotten_at_once(charger: Charger, charger_201: Charger) -> None:
    queues.keep([kept(charger, range(1, 4001), SAMPLE), kept(charger_201, range(1, 2), END)])
    queues.keep([kept(charger, range(1, 4001, 2), None)])
    assert len(queues.beyond([charger.pk])[charger.pk]) == 2000
    assert queues.beyond([charger_201.pk]) == {charger_201.pk: [1]}


def test_another_version_begins_with_an_empty_queue(charger: Charger) -> None:
    queues.keep([kept(charger, range(1, 4), SAMPLE)])
    queues.keep([kept(charger, range(4, 6), SAMPLE), (charger.pk, {SECTION: None})])
    assert not QueuedMessage.objects.exists()


def test_the_queue_goes_with_its_charger(charger: Charger) -> None:
    queues.keep([kept(charger, range(1, 4), SAMPLE)])
    charger.delete()
    assert not QueuedMessage.objects.exists()
