"""What a container engine runs, and the images that it has."""
