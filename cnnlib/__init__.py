"""cnnlib: the small library behind the course "Convolutional networks, measured"."""
