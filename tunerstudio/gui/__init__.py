"""The window. Never imports TensorFlow, Keras, Keras Tuner or plugin code."""
