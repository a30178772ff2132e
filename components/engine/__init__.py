"""The engine: what the pods of one model are made of."""
