import jinja2

print(jinja2.Template("{{ name }}").render(name="shop"))
