/**
 * The ten classes of `colour-images.ts`: eight outlines and two textures. A class is a function of a point in the shape's own frame, where
 * the shape fills about -1 .. 1: its distance to the outline, negative inside (exact or a little too small), and which of two inks is there.
 */

/** One class. */
export interface ColourShape {
  readonly name: string;
  /** Distance to the outline, negative inside, in units of the shape's radius. */
  distance(x: number, y: number): number;
  /** Whether the second ink is here; without it, the shape has one ink. */
  second?(x: number, y: number): boolean;
}

/** cos and sin of 36 degrees: a five-pointed star is folded onto half of one of its points. */
const COS_36 = 0.8090169943749475;
const SIN_36 = 0.5877852522924731;
/** sin of 60 degrees. */
const SIN_60 = 0.8660254037844386;
const STAR_RADIUS = 1.05;
/** How far the inner corners of the star lie from its middle, as a share of the outer ones. */
const STAR_INNER = 0.45;

const length = (x: number, y: number): number => Math.sqrt(x * x + y * y);
const box = (x: number, y: number, halfWidth: number, halfHeight: number): number =>
  Math.max(Math.abs(x) - halfWidth, Math.abs(y) - halfHeight);

/** In the order of the labels. */
export const COLOUR_SHAPES: readonly ColourShape[] = [
  { name: 'disc', distance: (x, y) => length(x, y) - 0.82 },
  { name: 'ring', distance: (x, y) => Math.abs(length(x, y) - 0.68) - 0.22 },
  { name: 'square', distance: (x, y) => box(x, y, 0.72, 0.72) },
  { name: 'triangle', distance: (x, y) => Math.max(y, Math.abs(x) * SIN_60 - y / 2) - 0.5 },
  { name: 'star', distance: star },
  { name: 'cross', distance: (x, y) => Math.min(box(x, y, 0.27, 0.92), box(x, y, 0.92, 0.27)) },
  { name: 'crescent', distance: (x, y) => Math.max(length(x, y) - 0.92, 0.72 - length(x - 0.42, y)) },
  { name: 'tee', distance: (x, y) => Math.min(box(x, y + 0.6, 0.88, 0.27), box(x, y - 0.05, 0.27, 0.9)) },
  {
    name: 'stripes',
    distance: (x, y) => length(x, y) - 0.92,
    second: (x) => (Math.floor(x * 2.6 + 100.5) & 1) === 1,
  },
  {
    name: 'checks',
    distance: (x, y) => length(x, y) - 0.92,
    second: (x, y) => ((Math.floor(x * 2.2 + 100) + Math.floor(y * 2.2 + 100)) & 1) === 1,
  },
];

function star(x: number, y: number): number {
  let px = Math.abs(x);
  let py = -y;
  // Two mirrors bring every point to the half of the star's point that stands up.
  let past = 2 * Math.max(COS_36 * px - SIN_36 * py, 0);
  px -= past * COS_36;
  py += past * SIN_36;
  past = 2 * Math.max(-COS_36 * px - SIN_36 * py, 0);
  px += past * COS_36;
  py += past * SIN_36;
  px = Math.abs(px);
  py -= STAR_RADIUS;
  const edgeX = STAR_INNER * SIN_36;
  const edgeY = STAR_INNER * COS_36 - 1;
  const along = (px * edgeX + py * edgeY) / (edgeX * edgeX + edgeY * edgeY);
  const clamped = Math.min(STAR_RADIUS, Math.max(0, along));
  const distance = length(px - edgeX * clamped, py - edgeY * clamped);
  return py * edgeX - px * edgeY > 0 ? distance : -distance;
}
