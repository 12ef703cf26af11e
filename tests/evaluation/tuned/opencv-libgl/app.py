import cv2
import numpy

picture = numpy.zeros((32, 32, 3), dtype=numpy.uint8)
print(cv2.resize(picture, (16, 16)).shape)
