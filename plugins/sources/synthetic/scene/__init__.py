"""The synthetic scene: people who walk towards a camera in a street, all drawn by code."""
