import jinja2

from billing import lines

templates = jinja2.Environment(loader=jinja2.FileSystemLoader("templates"), autoescape=True)
print(templates.get_template("invoice.html").render(lines=lines(7)))
