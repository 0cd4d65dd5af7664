"""Legacy to standard: land, decode, profile, characters, cleanse, transform, load, reconcile, sign off."""

__all__: list[str] = []
