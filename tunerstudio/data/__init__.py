"""Reading, profiling, splitting and preparing data: pandas and NumPy, no TensorFlow."""
