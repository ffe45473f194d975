"""The work that workers do for bundles: building them, adding sites, taking them down."""
