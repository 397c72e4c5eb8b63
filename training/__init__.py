"""EfficientDet in Keras: data, model, train, evaluate, export."""

from vidan.support import telemetry

telemetry.decline()
