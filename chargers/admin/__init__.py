"""Chargers, their commands, transactions and traffic in the admin."""

from chargers.admin import charger, command, message, run, transaction

__all__ = ["charger", "command", "message", "run", "transaction"]
