"""Papers that travel with the data: Croissant metadata, a data card, and a signature."""
