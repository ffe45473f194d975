"""How the admin writes moments: ISO 8601 order, 24 hours, as the API and the logs do."""
