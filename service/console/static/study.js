// The slider under the projections: shows one frame of each body by moving the window over its
// picture (an attribute of SVG; no style is written). Without it the view from the front is shown.
"use strict";

function turnWith(figure) {
  const columns = Number(figure.dataset.columns);
  const frames = Number(figure.dataset.frames);
  const step = Number(figure.dataset.step);
  const control = figure.querySelector(".turn-control");
  const slider = control.querySelector("input[type=range]");
  const angle = control.querySelector("output");
  const play = control.querySelector("[data-turn=play]");
  const bodies = [...figure.querySelectorAll("svg.turn")].map((svg) => ({
    svg, width: Number(svg.getAttribute("width")), height: Number(svg.getAttribute("height")),
  }));
  let timer = null;

  function show() {
    const frame = Number(slider.value);
    for (const { svg, width, height } of bodies) {
      const x = (frame % columns) * width;
      const y = Math.floor(frame / columns) * height;
      svg.setAttribute("viewBox", `${x} ${y} ${width} ${height}`);
    }
    angle.value = `${frame * step}°`;
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    play.setAttribute("aria-pressed", "false");
  }

  // To and fro: behind is the mirror image of the front, and sides are burnt into the frames.
  let way = 1;
  function advance() {
    if (!figure.isConnected) {
      stop();
      return;
    }
    const next = Number(slider.value) + way;
    if (next < 0 || next >= frames) way = -way;
    slider.value = String(Number(slider.value) + way);
    show();
  }

  slider.addEventListener("input", () => { stop(); show(); });
  play.addEventListener("click", () => {
    if (timer) {
      stop();
    } else {
      timer = setInterval(advance, 100);
      play.setAttribute("aria-pressed", "true");
    }
  });
  control.hidden = false;
  show();
}

function turnAll() {
  for (const figure of document.querySelectorAll("figure.turning:not([data-ready])")) {
    figure.dataset.ready = "yes";
    turnWith(figure);
  }
}

turnAll();
document.addEventListener("htmx:afterSettle", turnAll);
