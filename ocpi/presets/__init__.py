"""What bundles are built from: reviewed templates, and the plan that one of them makes of an order."""
