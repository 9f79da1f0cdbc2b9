"""The spine: what every domain stands on, and nothing that knows a domain by name."""
