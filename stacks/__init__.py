"""What is declared: the stack files and the typed schema that reads them."""
