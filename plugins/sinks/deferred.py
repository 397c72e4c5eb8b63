"""How long sinks that read no pixels let results wait."""

STORE_DELAY_S = 0.2
"""For files and databases, which people query later."""

MESSAGE_DELAY_S = 0.1
"""For messages that other programs act on."""
