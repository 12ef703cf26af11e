from readme_renderer.rst import render

print(render("Title\n=====\n\nSome *words*.\n"))
