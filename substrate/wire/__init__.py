"""The chip behind a wire: `chip.proto` is its schema, and docs/wire.md tells how it is used."""
