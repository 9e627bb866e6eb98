"""The trial worker: the only room with TensorFlow, Keras and Keras Tuner."""
