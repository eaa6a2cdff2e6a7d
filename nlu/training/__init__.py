"""From public consultations to the shipped ONNX files. Needs its own environment: ``requirements.txt`` beside this."""
