// Shows the OpenAPI document in Swagger UI, which is served from here as well, and as dark or light as the page.
(() => {
  const page = document.documentElement;
  const paint = () => page.classList.toggle("dark-mode", page.dataset.bsTheme === "dark");
  new MutationObserver(paint).observe(page, { attributeFilter: ["data-bs-theme"] });
  paint();

  const place = document.getElementById("operations");
  SwaggerUIBundle({
    domNode: place,
    url: place.dataset.document,
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: -1, // each operation shows its own; the list of all of them says little
    displayRequestDuration: true,
    validatorUrl: null, // else it asks a server elsewhere whether the document is valid
  });
})();
