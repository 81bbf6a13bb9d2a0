/**
 * A data set that needs no file: digits 28 x 28, drawn from pen strokes with random slant, size, position, pen and noise.
 * It looks like MNIST: trained on 10,000 images, a network 784-128-10 reaches 95 to 97.5 % of the test images, three hidden
 * layers of 512 reach 98 %, and the plain average of two of the latter 72 %. Everything derives from a seed
 * with + - * / and sqrt, `base/random.ts` and `base/portable.ts`, so the bytes are the same in every JavaScript engine.
 */

import { OptionError } from '../base/errors.ts';
import { cos, sin } from '../base/portable.ts';
import { RandomStream } from '../base/random.ts';
import type { ImageDataset } from './dataset.ts';
import { DIGIT_STYLES, type Stroke } from './digit-strokes.ts';

const SIDE = 28;
const PIXELS = SIDE * SIDE;
const CLASSES = 10;
/** Stands for a distance beyond the pen. */
const FAR = 1e9;
/** Straight pieces between two control points of a smooth stroke. */
const PIECES = 4;
/** Random words of an image: first those that shape it, then four noise bytes a word. */
const SHAPE_WORDS = 64;
const WORDS = SHAPE_WORDS + PIXELS / 4;

/** How far the random quantities reach, uniform in ± unless it says otherwise. Lengths of the box of a digit or pixels. */
const SPREAD = {
  /** Radians. */
  rotation: 0.3,
  /** x moves by this times y. */
  shear: 0.3,
  /** Each control point, each coordinate, in boxes; triangular. */
  jitter: 0.09,
  /** Pixels. */
  translation: 2.5,
  /** Height of the box, smallest and largest, in pixels; its width is 0.55 to 0.95 of that. */
  height: [14.5, 21],
  width: [0.55, 0.95],
  /** Half the width of the pen in pixels. */
  pen: [0.65, 1.6],
  /** Grey of the pen, of 255. */
  ink: [150, 255],
  /** Noise of one pixel, of 255: the largest of an image lies between these. */
  noise: [8, 60],
} as const;

/** Mean and deviation of pixels / 255, to normalise with. */
export const DIGITS_NORMALISATION = { mean: [0.1111], std: [0.2301] } as const;

/** Options of `digits`. */
export interface DigitsOptions {
  /** Number of images. */
  readonly count: number;
  /** See `RandomStream`. */
  readonly seed: number | bigint;
  /** The two splits of one seed come from independent streams. Default `train`. */
  readonly split?: 'train' | 'test';
}

/**
 * Draws `count` images [count, 1, 28, 28] of the ten digits. Every ten images in a row hold every class once, in random
 * order. Image i depends on seed, split and i alone: a smaller set is the start of a larger one.
 * @throws OptionError for a count that is no positive integer, or a bad seed or split.
 */
export function digits(options: DigitsOptions): ImageDataset {
  const { count, seed, split = 'train' } = options;
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new OptionError(`digits: expected a count of at least 1, an integer, got ${count}.`);
  }
  if (split !== 'train' && split !== 'test') {
    throw new OptionError(`digits: expected the split "train" or "test", got ${JSON.stringify(split)}.`);
  }
  const stream = new RandomStream(seed, `digits ${split}`);
  const labelStream = stream.derive('labels');
  const images = new Uint8Array(count * PIXELS);
  const labels = new Uint8Array(count);
  const words = new Uint32Array(WORDS);
  const drawing = new Drawing();
  for (let i = 0; i < count; i++) {
    if (i % CLASSES === 0) {
      const order = labelStream.derive(i / CLASSES).permutation(CLASSES);
      labels.set(order.subarray(0, Math.min(CLASSES, count - i)), i);
    }
    stream.derive(i).fillUint32(words);
    drawing.draw(labels[i]!, words, images.subarray(i * PIXELS, (i + 1) * PIXELS));
  }
  const name = `digits ${split} (seed ${seed})`;
  return { name, count, channels: 1, height: SIDE, width: SIDE, classes: CLASSES, images, labels };
}

/** Draws one image at a time; holds the scratch memory. */
class Drawing {
  /** Squared distance of each pixel's middle to the nearest stroke, as far as the pen reaches. */
  readonly #distance = new Float64Array(PIXELS);
  /** The control points of a stroke in pixels. */
  readonly #points = new Float64Array(2 * 16);
  #words: Uint32Array = new Uint32Array(0);
  #nextWord = 0;

  draw(digit: number, words: Uint32Array, out: Uint8Array): void {
    this.#words = words;
    this.#nextWord = 0;
    const styles = DIGIT_STYLES[digit]!;
    const style = styles[this.#word() % styles.length]!;
    const angle = this.#between(-SPREAD.rotation, SPREAD.rotation);
    const shear = this.#between(-SPREAD.shear, SPREAD.shear);
    const height = this.#between(...SPREAD.height);
    const width = height * this.#between(...SPREAD.width);
    const centreX = SIDE / 2 + this.#between(-SPREAD.translation, SPREAD.translation);
    const centreY = SIDE / 2 + this.#between(-SPREAD.translation, SPREAD.translation);
    const radius = this.#between(...SPREAD.pen);
    const ink = this.#between(...SPREAD.ink);
    const noise = this.#between(...SPREAD.noise);
    const [cosine, sine] = [cos(angle), sin(angle)];
    // Pixels = centre + rotation x (shear, then scale of the box around its middle).
    const xx = cosine * width;
    const xy = cosine * -shear * height - sine * height;
    const yx = sine * width;
    const yy = sine * -shear * height + cosine * height;

    this.#distance.fill(FAR);
    for (const stroke of style) {
      for (let i = 0; i < stroke.points.length; i += 2) {
        const x = stroke.points[i]! - 0.5 + this.#jitter();
        const y = stroke.points[i + 1]! - 0.5 + this.#jitter();
        this.#points[i] = centreX + xx * x + xy * y;
        this.#points[i + 1] = centreY + yx * x + yy * y;
      }
      this.#drawStroke(stroke, radius + 0.5);
    }
    this.#shade(radius, ink, noise, out);
  }

  /** Turns distances to grey: full ink within the pen, none from one pixel further, noise of triangular shape on top. */
  #shade(radius: number, ink: number, noise: number, out: Uint8Array): void {
    for (let i = 0; i < PIXELS; i++) {
      const bits = this.#words[SHAPE_WORDS + (i >> 2)]! >>> (8 * (i & 3));
      const grain = (((bits & 15) + ((bits >>> 4) & 15)) / 15 - 1) * noise;
      const squared = this.#distance[i]!;
      const cover = squared === FAR ? 0 : Math.min(1, Math.max(0, radius + 0.5 - Math.sqrt(squared)));
      out[i] = Math.min(255, Math.max(0, Math.floor(cover * ink + grain + 0.5)));
    }
  }

  #drawStroke(stroke: Stroke, reach: number): void {
    const points = this.#points;
    const last = stroke.points.length / 2 - 1;
    for (let from = 0; from < last; from++) {
      const [x1, y1] = [points[2 * from]!, points[2 * from + 1]!];
      const [x2, y2] = [points[2 * from + 2]!, points[2 * from + 3]!];
      if (!stroke.smooth) {
        this.#drawSegment(x1, y1, x2, y2, reach);
        continue;
      }
      // Catmull-Rom: the direction at a point is half the way from its predecessor to its successor.
      const before = Math.max(from - 1, 0);
      const after = Math.min(from + 2, last);
      const startX = (x2 - points[2 * before]!) / 2;
      const startY = (y2 - points[2 * before + 1]!) / 2;
      const endX = (points[2 * after]! - x1) / 2;
      const endY = (points[2 * after + 1]! - y1) / 2;
      let [x, y] = [x1, y1];
      for (let piece = 1; piece <= PIECES; piece++) {
        const t = piece / PIECES;
        const toEnd = t * t * (3 - 2 * t);
        const fromStart = t * (1 - t) * (1 - t);
        const fromEnd = -t * t * (1 - t);
        const nextX = x1 + toEnd * (x2 - x1) + fromStart * startX + fromEnd * endX;
        const nextY = y1 + toEnd * (y2 - y1) + fromStart * startY + fromEnd * endY;
        this.#drawSegment(x, y, nextX, nextY, reach);
        [x, y] = [nextX, nextY];
      }
    }
  }

  /** Lowers the distances of the pixels within `reach` of the box around a segment. Middles lie at whole coordinates + 0.5. */
  #drawSegment(x1: number, y1: number, x2: number, y2: number, reach: number): void {
    const left = Math.max(0, Math.floor(Math.min(x1, x2) - reach));
    const right = Math.min(SIDE - 1, Math.floor(Math.max(x1, x2) + reach));
    const top = Math.max(0, Math.floor(Math.min(y1, y2) - reach));
    const bottom = Math.min(SIDE - 1, Math.floor(Math.max(y1, y2) + reach));
    const dx = x2 - x1;
    const dy = y2 - y1;
    const squaredLength = dx * dx + dy * dy;
    const scale = squaredLength > 0 ? 1 / squaredLength : 0;
    const distance = this.#distance;
    for (let row = top; row <= bottom; row++) {
      for (let column = left; column <= right; column++) {
        const px = column + 0.5 - x1;
        const py = row + 0.5 - y1;
        const along = Math.min(1, Math.max(0, (px * dx + py * dy) * scale));
        const ex = px - along * dx;
        const ey = py - along * dy;
        const squared = ex * ex + ey * ey;
        if (squared < distance[row * SIDE + column]!) distance[row * SIDE + column] = squared;
      }
    }
  }

  #word(): number {
    return this.#words[this.#nextWord++]!;
  }

  /** Uniform between two numbers. */
  #between(low: number, high: number): number {
    return low + (high - low) * ((this.#word() >>> 8) / 16777216);
  }

  /** Triangular: the sum of two 16-bit halves of one word. */
  #jitter(): number {
    const word = this.#word();
    return (((word & 0xffff) + (word >>> 16)) / 65535 - 1) * SPREAD.jitter;
  }
}
