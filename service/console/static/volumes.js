// The volumes of a run as numbers: loading them, where a point of the patient lies in them, and images made of them.
// Nothing is drawn here. Arrays are as in the files: column fastest, then row, then slice; coordinates are DICOM LPS in mm.
import { NVImage } from "./vendor/niivue/index.js";

export const HIGHEST_ADC = 5000;

export async function loadTable(files) {
  const answer = await fetch(`${files}/volumes.json`);
  if (!answer.ok) throw new Error(`volumes.json: status ${answer.status}`);
  return answer.json();
}

export function loadImage(files, name) {
  return NVImage.loadFromUrl({ url: new URL(`${files}/${name}`, document.baseURI).href, name });
}

// The grid of one file of volumes.json.
export class Grid {
  constructor({ shape, index_to_lps_mm: rows }) {
    this.shape = shape;
    this.axes = rows.slice(0, 3).map((row) => row.slice(0, 3));
    this.origin = rows.slice(0, 3).map((row) => row[3]);
    this.inverse = inverse(this.axes);
  }

  // Nearest voxel (slice, row, column) of a point; null outside.
  index(lps) {
    const from = lps.map((value, n) => value - this.origin[n]);
    const index = this.inverse.map((row) => Math.round(row[0] * from[0] + row[1] * from[1] + row[2] * from[2]));
    return index.every((value, n) => value >= 0 && value < this.shape[n]) ? index : null;
  }

  // Its place in the arrays; -1 outside.
  offset(lps) {
    const index = this.index(lps);
    return index === null ? -1 : (index[0] * this.shape[1] + index[1]) * this.shape[2] + index[2];
  }

  lps(offset) {
    const [, rows, columns] = this.shape;
    const index = [Math.floor(offset / (rows * columns)), Math.floor(offset / columns) % rows, offset % columns];
    return this.axes.map((row, n) => row[0] * index[0] + row[1] * index[1] + row[2] * index[2] + this.origin[n]);
  }
}

// S(b) = S_high exp(-(b - b_high) ADC); 0 where there is no valid ADC. Stored numbers in, stored numbers out (int16).
export function computedSignal(signal, adc, bHigh, b) {
  const factors = Float32Array.from({ length: HIGHEST_ADC + 1 }, (_, value) => Math.exp(-(b - bHigh) * value * 1e-6));
  factors[0] = 0;
  const made = new Int16Array(signal.length);
  for (let n = 0; n < made.length; n += 1) made[n] = Math.min(32767, Math.round(signal[n] * factors[adc[n]]));
  return made;
}

// One label a voxel: disease by ADC class before the focal list before anatomy, of those that are shown (a Set of numbers).
export function composedLabels({ segmentation, lesions, focal, adc }, shown, thresholds, firstClass) {
  const [low, high] = thresholds;
  const isShown = Array.from({ length: 256 }, (_, value) => shown.has(value));
  const made = new Uint8Array(segmentation.length);
  for (let n = 0; n < made.length; n += 1) {
    if (lesions[n]) {
      const label = firstClass + (adc[n] < low ? 0 : adc[n] > high ? 2 : 1);
      if (isShown[label]) {
        made[n] = label;
        continue;
      }
    }
    if (focal && focal[n] && isShown[firstClass + 3]) made[n] = firstClass + 3;
    else if (isShown[segmentation[n]]) made[n] = segmentation[n];
  }
  return made;
}

// The voxel of a lesion that is nearest to a point: the centre of a curved one lies outside of it.
export function nearestOf(labels, label, grid, lps) {
  let best = null;
  let smallest = Infinity;
  for (let n = 0; n < labels.length; n += 1) {
    if (labels[n] !== label) continue;
    const point = grid.lps(n);
    const distance = (point[0] - lps[0]) ** 2 + (point[1] - lps[1]) ** 2 + (point[2] - lps[2]) ** 2;
    if (distance < smallest) {
      smallest = distance;
      best = point;
    }
  }
  return best;
}

// What one voxel in 200 exceeds, of every 50th.
export function bright(stored) {
  const sample = Int16Array.from({ length: Math.ceil(stored.length / 50) }, (_, n) => stored[n * 50]).sort();
  return sample[Math.floor(0.995 * (sample.length - 1))];
}

function inverse([[a, b, c], [d, e, f], [g, h, i]]) {
  const determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  const adjugate = [
    [e * i - f * h, c * h - b * i, b * f - c * e],
    [f * g - d * i, a * i - c * g, c * d - a * f],
    [d * h - e * g, b * g - a * h, a * e - b * d],
  ];
  return adjugate.map((row) => row.map((value) => value / determinant));
}
