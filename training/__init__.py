"""EfficientDet in Keras: data, model, train, evaluate, export."""

import os

# Before TensorFlow is imported: its C++ part prints pages on its start, "errors" about GPUs that
# are not there among them. What truly fails is raised in Python.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
