"""Django's SQLite backend for several busy processes on one file."""
