// What a page without a script does without: one box that ticks a whole column.
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
