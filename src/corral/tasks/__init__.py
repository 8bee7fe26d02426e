"""Ready-made task sets, built on Corral's public API only: what a product needs on its first day."""
