"""The models that ship, each with its model card."""
