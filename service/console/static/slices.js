// The slices viewer: NiiVue draws three planes, this file says what of and answers keys, controls and lesions.
import { Niivue } from "./vendor/niivue/index.js";
import { Grid, bright, composedLabels, computedSignal, loadImage, loadTable, nearestOf } from "./volumes.js";

const INVERTED = { R: [255, 0], G: [255, 0], B: [255, 0], A: [0, 128], I: [0, 255] };
// NiiVue draws what has any alpha as opaque as the whole layer: below 0.05 there is none. The scale of the page has these colours.
const PROBABILITY = {
  R: [68, 68, 68, 59, 33, 94, 253], G: [1, 1, 1, 82, 145, 201, 231], B: [84, 84, 84, 139, 140, 98, 37],
  A: [0, 0, 255, 255, 255, 255, 255], I: [0, 12, 13, 64, 128, 191, 255],
};
const VIEWS = { all: 3, axial: 0, coronal: 1, sagittal: 2 };
const DRAG_WINDOW = 9;
const ROW = 3;
const OPTIONS = {
  backColor: [0, 0, 0, 1], crosshairColor: [1, 0.55, 0, 0.8], crosshairWidth: 1, crosshairWidthUnit: "mm", crosshairGap: 8, isRadiologicalConvention: true, isCornerOrientationText: false,
  multiplanarShowRender: 0, multiplanarLayout: ROW, multiplanarPadPixels: 4, dragMode: DRAG_WINDOW, dragAndDropEnabled: false,
  viewModeHotKey: "", clipPlaneHotKey: "", cycleClipPlaneHotKey: "", loadingText: "", logLevel: "error", isAntiAlias: false,
};

const byId = (id) => document.getElementById(id);
const said = (value, digits) => value.toFixed(digits);

class Slices {
  constructor(box) {
    this.box = box;
    this.files = box.dataset.files;
    this.form = byId("slices-controls");
    this.controls = this.form.elements;
    this.places = [...document.querySelectorAll(".places a[data-lesion]")];
    this.windows = {};
    this.probability = null;
  }

  async open() {
    say("Loading the volumes of this run.");
    this.table = await loadTable(this.files);
    const row = (file) => this.table.volumes.find((one) => one.file === file);
    const load = async (file) => (row(file) ? loadImage(this.files, file) : null);
    const names = ["high_b", "adc", "segmentation", "lesions", "focal_lesions"];
    const [high, adc, segmentation, lesions, focal] = await Promise.all(names.map((name) => load(`${name}.nii.gz`)));
    this.rows = { high: row("high_b.nii.gz"), adc: row("adc.nii.gz"), labels: row("segmentation.nii.gz") };
    this.lesionRows = [...(row("lesions.nii.gz")?.labels ?? []), ...(row("focal_lesions.nii.gz")?.labels ?? [])];
    this.grid = new Grid(this.rows.high.grid);
    this.numbers = { signal: high.img, adc: adc.img, segmentation: segmentation.img, lesions: lesions.img, focal: focal?.img };
    this.base = high;
    this.labels = segmentation;
    this.firstClass = 1 + Math.max(...this.rows.labels.labels.map((one) => one.value));
    this.box.hidden = false; // a canvas that is not shown has no size
    await this.draw();
    this.listen();
    this.jump(this.place(this.box.dataset.lesion) ?? null);
    byId("stills").hidden = true;
    say("");
    this.box.dataset.ready = "true";
  }

  async draw() {
    this.nv = new Niivue(OPTIONS);
    this.nv.onLocationChange = () => this.tell();
    this.nv.onIntensityChange = () => this.tellWindow();
    this.nv.addColormap("inverted", INVERTED);
    this.nv.addColormap("probability", PROBABILITY);
    await this.nv.attachToCanvas(byId("slices-canvas"));
    this.labels.img = new Uint8Array(this.labels.img.length);
    this.labels.opacity = Number(this.controls.label_opacity.value);
    this.nv.addVolume(this.base);
    this.nv.addVolume(this.labels);
    this.compose();
    this.show();
  }

  // The image below, by what is chosen.
  show() {
    const { signal, adc } = this.numbers;
    const { high } = this.rows;
    const chosen = this.controls.image.value;
    const b = Number(this.controls.computed_b.value);
    const images = {
      high_b: () => [signal, high.slope, high.window],
      adc: () => [adc, 1, this.rows.adc.window],
      computed: () => {
        const made = computedSignal(signal, adc, high.b_s_mm2, b);
        return [made, high.slope, [0, Math.max(1, bright(made)) * high.slope]];
      },
    };
    const [stored, slope, window] = images[chosen]();
    this.image = chosen;
    this.usual = window;
    Object.assign(this.base, { img: stored, colormap: chosen === "adc" ? "gray" : "inverted" });
    this.base.hdr.scl_slope = slope;
    [this.base.global_min, this.base.global_max] = window;
    this.setWindow(this.windows[chosen] ?? window);
  }

  setWindow([darkest, brightest]) {
    if (!(brightest > darkest)) return;
    this.base.cal_min = darkest;
    this.base.cal_max = brightest;
    this.nv.updateGLVolume();
    this.tellWindow();
  }

  tellWindow() {
    this.windows[this.image] = [this.base.cal_min, this.base.cal_max];
    this.controls.darkest.value = said(this.base.cal_min, 1);
    this.controls.brightest.value = said(this.base.cal_max, 1);
  }

  // The labels above, by what is ticked.
  compose() {
    const boxes = [...this.form.querySelectorAll("input[name=label]")];
    const shown = new Set(boxes.filter((one) => one.checked).map((one) => Number(one.value)));
    const size = this.firstClass + 4;
    const colours = { R: Array(size).fill(0), G: Array(size).fill(0), B: Array(size).fill(0), A: Array(size).fill(255), I: [...Array(size).keys()] };
    colours.A[0] = 0;
    for (const one of boxes) {
      const rgb = one.dataset.colour.match(/[0-9a-f]{2}/gi).map((part) => parseInt(part, 16));
      ["R", "G", "B"].forEach((channel, n) => { colours[channel][Number(one.value)] = rgb[n]; });
    }
    this.labels.img = composedLabels(this.numbers, shown, this.table.thresholds_um2_s, this.firstClass);
    this.labels.setColormapLabel(colours);
    this.nv.updateGLVolume();
  }

  async showProbability() {
    const file = this.controls.probability.value;
    for (const note of this.form.querySelectorAll("[data-probability]")) note.hidden = note.dataset.probability !== file;
    if (this.probability) this.nv.removeVolume(this.probability);
    this.probability = null;
    if (file) {
      const image = await loadImage(this.files, file);
      if (file !== this.controls.probability.value) return; // another was chosen meanwhile
      Object.assign(image, { colormap: "probability", cal_min: 0, cal_max: 1, opacity: Number(this.controls.probability_opacity.value) });
      this.probability = image;
      this.probabilityGrid = new Grid(this.table.volumes.find((one) => one.file === file).grid);
      this.nv.addVolume(image);
    }
    this.nv.updateGLVolume();
    this.box.dataset.probability = file;
    this.tell();
  }

  at() {
    const [x, y, z] = this.nv.frac2mm(this.nv.scene.crosshairPos, 0, true);
    return [-x, -y, z]; // NIfTI counts to the right and to the front, DICOM to the left and to the back
  }

  tell() {
    if (!this.image) return;
    const lps = this.at();
    const n = this.grid.offset(lps);
    const { signal, adc, segmentation, lesions, focal } = this.numbers;
    const value = n < 0 ? 0 : adc[n];
    const label = this.rows.labels.labels.find((one) => n >= 0 && one.value === segmentation[n]);
    const names = n < 0 ? [] : [lesionName(this.lesionRows, "L", lesions[n]), lesionName(this.lesionRows, "F", focal?.[n])].filter(Boolean);
    byId("at-lps").textContent = lps.map((one) => said(one, 1)).join(", ");
    byId("at-adc").textContent = value ? String(value) : "not valid";
    byId("at-signal").textContent = n < 0 ? "–" : said(signal[n] * this.rows.high.slope, 0);
    byId("at-region").textContent = label?.title ?? "none";
    byId("at-lesion").textContent = names.join(", ") || "none";
    const p = this.probability ? this.probabilityGrid.offset(lps) : -1;
    byId("at-probability").textContent = p < 0 ? "–" : said(this.probability.img[p] / 255, 2);
  }

  go(lps) {
    this.nv.scene.crosshairPos = this.nv.mm2frac([-lps[0], -lps[1], lps[2]], 0, true);
    this.nv.createOnLocationChange();
    this.nv.drawScene();
  }

  place(name) {
    return this.places.find((one) => one.dataset.lesion === name);
  }

  // Go to a lesion; without one to the middle of the largest, else of the images.
  jump(link) {
    const to = link ?? this.places[0];
    if (!to) {
      this.nv.createOnLocationChange();
      return;
    }
    const name = to.dataset.lesion;
    const centre = to.dataset.mm.split(" ").map(Number);
    const label = this.lesionRows.find((one) => one.name === name)?.value;
    const labels = name.startsWith("F") ? this.numbers.focal : this.numbers.lesions;
    this.go((labels && nearestOf(labels, label, this.grid, centre)) ?? centre);
    for (const one of this.places) one.removeAttribute("aria-current");
    if (!link) return;
    link.setAttribute("aria-current", "true");
    history.replaceState(null, "", `?lesion=${name}`);
  }

  step(by) {
    if (!this.places.length) return;
    const now = this.places.findIndex((one) => one.hasAttribute("aria-current"));
    const next = now < 0 ? (by > 0 ? 0 : -1) : now + by;
    this.jump(this.places.at(next % this.places.length));
  }

  listen() {
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("input", (event) => this.changed(event.target));
    this.controls.window.addEventListener("click", () => this.setWindow(this.usual));
    for (const link of this.places) {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        this.jump(link);
        byId("slices-canvas").focus();
        this.box.scrollIntoView();
      });
    }
    // Before NiiVue's own keys, which know no lesions.
    document.addEventListener("keydown", (event) => this.key(event), { capture: true });
  }

  changed(control) {
    const { name } = control;
    if (name === "image") this.show();
    else if (name === "computed_b" && control.validity.valid && control.value) {
      delete this.windows.computed;
      this.controls.image.value = "computed";
      this.show();
    } else if (name === "darkest" || name === "brightest") {
      this.setWindow([Number(this.controls.darkest.value), Number(this.controls.brightest.value)]);
    } else if (name === "view") this.nv.setSliceType(VIEWS[control.value]);
    else if (name === "label") this.compose();
    else if (control.hasAttribute("data-all")) {
      for (const one of control.closest("details").querySelectorAll("input[name=label]")) one.checked = control.checked;
      this.compose();
    } else if (name === "label_opacity") this.nv.setOpacity(1, Number(control.value));
    else if (name === "probability") this.showProbability().catch(fail);
    else if (name === "probability_opacity" && this.probability) this.nv.setOpacity(2, Number(control.value));
  }

  key(event) {
    const typing = event.target instanceof Element && event.target.matches("input:not([type=checkbox]), select, textarea");
    if (typing || event.ctrlKey || event.altKey || event.metaKey) return;
    const inCanvas = event.target === byId("slices-canvas") || event.target === document.body;
    const everywhere = {
      1: () => this.choose("high_b"), 2: () => this.choose("adc"), 3: () => this.choose("computed"),
      n: () => this.step(1), p: () => this.step(-1), r: () => this.setWindow(this.usual),
      o: () => this.toggleLabels(), v: () => this.nextView(),
    };
    const moves = {
      ArrowLeft: [1, 0, 0], ArrowRight: [-1, 0, 0], ArrowUp: [0, 1, 0], ArrowDown: [0, -1, 0], PageUp: [0, 0, 1], PageDown: [0, 0, -1],
    };
    if (everywhere[event.key]) everywhere[event.key]();
    else if (inCanvas && moves[event.key]) this.nv.moveCrosshairInVox(...moves[event.key]);
    else {
      if (inCanvas && event.key !== "Tab") event.stopImmediatePropagation(); // NiiVue has keys that this page does not name
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  choose(image) {
    this.controls.image.value = image;
    this.show();
  }

  toggleLabels() {
    const opacity = this.labels.opacity > 0 ? 0 : Number(this.controls.label_opacity.value) || 0.6;
    this.nv.setOpacity(1, opacity);
  }

  nextView() {
    const names = Object.keys(VIEWS);
    const { view } = this.controls;
    view.value = names[(names.indexOf(view.value) + 1) % names.length];
    this.nv.setSliceType(VIEWS[view.value]);
  }
}

function lesionName(rows, letter, value) {
  return value ? rows.find((one) => one.name.startsWith(letter) && one.value === value)?.name : undefined;
}

function say(text) {
  const state = byId("viewer-state");
  state.textContent = text;
  state.hidden = !text;
}

function fail(error) {
  byId("stills").hidden = false;
  say(`The volumes could not be shown (${error.message}). Still images and downloads are below.`);
}

function start() {
  const box = byId("slices");
  if (!document.createElement("canvas").getContext("webgl2")) {
    say("This browser gives no WebGL 2, which the viewer needs: switch on hardware acceleration, or use another browser. Still images and downloads are below.");
    return;
  }
  new Slices(box).open().catch((error) => {
    box.hidden = true;
    fail(error);
  });
}

start();
