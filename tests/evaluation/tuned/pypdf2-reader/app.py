import io

from PyPDF2 import PdfFileReader, PdfFileWriter

writer = PdfFileWriter()
writer.addBlankPage(width=210, height=297)
file = io.BytesIO()
writer.write(file)
print(PdfFileReader(file).getNumPages())
