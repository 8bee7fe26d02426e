"""Shapes that programs build of flows: on the public contracts only."""
