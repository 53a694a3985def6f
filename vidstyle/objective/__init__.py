"""What is minimised: losses of features and Gram matrices, over levels, regions and tiles of a picture."""
