"""The stages of the migration, one module each, in their order."""

from collections.abc import Sequence
from dataclasses import replace

from kiban.migration.stage import Stage
from kiban.migration.stages.apply import APPLY
from kiban.migration.stages.characters import CHARACTERS
from kiban.migration.stages.cleanse import CLEANSE
from kiban.migration.stages.decode import DECODE, ledger
from kiban.migration.stages.inventory import INVENTORY
from kiban.migration.stages.land import LAND
from kiban.migration.stages.load import LOAD
from kiban.migration.stages.profile import PROFILE
from kiban.migration.stages.prove import PROVE
from kiban.migration.stages.reconcile import RECONCILE
from kiban.migration.stages.signoff import SIGNOFF
from kiban.migration.stages.totals import TOTALS
from kiban.migration.stages.transform import TRANSFORM

STAGES: tuple[Stage, ...] = (
    INVENTORY,
    LAND,
    DECODE,
    PROVE,
    PROFILE,
    TOTALS,
    CHARACTERS,
    CLEANSE,
    TRANSFORM,
    LOAD,
    RECONCILE,
    SIGNOFF,
)
"""In order; each needs only those before it."""


def for_delta(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """The same stages for a newer unload of what is loaded already: its differences are applied in the place of the load."""
    kept = [replace(one, outside=APPLY.outside) if one.outside is not None else one for one in stages]
    return tuple(APPLY if one.name == APPLY.stands_for else one for one in kept)


DELTA_STAGES: tuple[Stage, ...] = for_delta(STAGES)
"""What `kiban migrate delta` runs."""

__all__ = ["DELTA_STAGES", "STAGES", "for_delta", "ledger"]
