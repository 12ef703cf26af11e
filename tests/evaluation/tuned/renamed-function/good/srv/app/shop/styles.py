COLOUR = "teal"
