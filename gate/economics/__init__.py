"""The break-even model on plain numbers; every formula is in docs/model.md, once."""
