"""The synthetic scene: people walking toward a camera in a street, all drawn by code."""
