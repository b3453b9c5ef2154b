// The page /docs: shows the OpenAPI document of this installation, with what is vendored.
"use strict";
(() => {
  const place = document.getElementById("openapi");
  SwaggerUIBundle({
    url: place.dataset.document,
    domNode: place,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    displayRequestDuration: false,
    supportedSubmitMethods: ["get"],
    validatorUrl: null,
    onComplete: () => { place.dataset.ready = "true"; },
  });
})();
