// What a page without a script does without. First: one box that ticks a whole column.
"use strict";
for (const kind of ["change", "htmx:load", "DOMContentLoaded"]) {
  document.addEventListener(kind, (event) => {
    const all = document.querySelector("[data-chooses]");
    if (!all) return;
    all.hidden = false;
    if (event.target !== all) return;
    for (const box of document.getElementsByName(all.dataset.chooses)) box.checked = all.checked;
  });
}

// While the service does not answer, what stands on the page may be old: the page says so.
const told = {
  "htmx:sseError": true, "htmx:sendError": true, "htmx:responseError": true,
  "htmx:sseOpen": false, "htmx:afterOnLoad": false,
};
for (const [kind, lost] of Object.entries(told)) {
  document.addEventListener(kind, () => {
    const line = document.getElementById("lost");
    if (line) line.hidden = !lost;
  });
}
