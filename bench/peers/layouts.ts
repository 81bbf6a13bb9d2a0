/** Data in the layouts that engines prefer, and back. */

/** `output[i] = values[place of i]`, axes in another order: `axes[k]` is the input's axis that is the output's k-th. */
function reordered(
  values: ArrayLike<number>,
  shape: readonly number[],
  axes: readonly [number, number, number, number],
): Float32Array<ArrayBuffer> {
  const strides = [shape[1]! * shape[2]! * shape[3]!, shape[2]! * shape[3]!, shape[3]!, 1];
  const [s0, s1, s2, s3] = axes.map((axis) => strides[axis]!) as [number, number, number, number];
  const [n0, n1, n2, n3] = axes.map((axis) => shape[axis]!) as [number, number, number, number];
  const out = new Float32Array(values.length);
  let at = 0;
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      for (let k = 0; k < n2; k++) {
        for (let l = 0; l < n3; l++) out[at++] = values[i * s0 + j * s1 + k * s2 + l * s3]!;
      }
    }
  }
  return out;
}

/** @param shape [N, C, H, W] */
export function nchwToNhwc(values: ArrayLike<number>, shape: readonly number[]): Float32Array<ArrayBuffer> {
  return reordered(values, shape, [0, 2, 3, 1]);
}

/** @param shape [N, C, H, W], what it becomes. */
export function nhwcToNchw(values: ArrayLike<number>, shape: readonly number[]): Float32Array<ArrayBuffer> {
  const [n, c, h, w] = shape as [number, number, number, number];
  return reordered(values, [n, h, w, c], [0, 3, 1, 2]);
}

/** Weights of convolutions. @param shape [O, I, H, W] */
export function oihwToHwio(values: ArrayLike<number>, shape: readonly number[]): Float32Array<ArrayBuffer> {
  return reordered(values, shape, [2, 3, 1, 0]);
}

/** @param shape [O, I, H, W], what it becomes. */
export function hwioToOihw(values: ArrayLike<number>, shape: readonly number[]): Float32Array<ArrayBuffer> {
  const [o, i, h, w] = shape as [number, number, number, number];
  return reordered(values, [h, w, i, o], [3, 2, 0, 1]);
}

/** One array after another. */
export function concatenated(parts: readonly ArrayLike<number>[]): Float32Array<ArrayBuffer> {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
