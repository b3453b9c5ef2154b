// The page /docs: shows the OpenAPI document of this installation, with what is vendored.
"use strict";
(() => {
  const place = document.getElementById("openapi");

  // The viewer's own layout is made for a page of its own; this one stands inside a page.
  const embedded = (system) => ({
    components: {
      Embedded: ({ getComponent }) => {
        const make = system.React.createElement;
        const part = (name) => make(getComponent(name, true), { key: name });
        return make("div", { className: "swagger-ui" },
          make(getComponent("SvgAssets"), { key: "pictures" }),
          make("h2", { key: "operations-heading" }, "Operations"), part("operations"), part("Models"));
      },
    },
  });

  SwaggerUIBundle({
    url: place.dataset.document,
    domNode: place,
    plugins: [embedded],
    layout: "Embedded",
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    displayRequestDuration: false,
    supportedSubmitMethods: ["get"],
    validatorUrl: null,
    onComplete: () => { place.dataset.ready = "true"; },
  });
})();
