"""The charger core: pure Python, no Django, no event loop, no clock and no sockets of its own."""
