"""EfficientDet in Keras: data, model, train, evaluate, export."""
