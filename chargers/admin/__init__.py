"""Chargers, their commands, transactions and traffic in the admin."""

from chargers.admin import charger, command, message, transaction

__all__ = ["charger", "command", "message", "transaction"]
