"""The stages of the migration, one module each."""

__all__: list[str] = []
