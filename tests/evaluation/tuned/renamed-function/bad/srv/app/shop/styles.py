COLOUR = "navy"
