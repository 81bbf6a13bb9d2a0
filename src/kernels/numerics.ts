/**
 * Numerics classes of matrix products and convolutions, and the kernels of their families.
 *
 * `f32`: operands as they are. `f16`: every operand is rounded to f16 as it is read (the adapter rounds to one of the two neighbours), and
 * what is then below 2^-14 is +0: WGSL lets an adapter keep subnormals of f16 in one operation and flush them in another, and variants
 * do not use the same ones. Products and sums stay f32. A product of two f16 has at most 22 significant bits, so it is exact
 * in f32: it does not matter whether an adapter fuses it with the addition, and nothing overflows that did not when it was rounded (past
 * 65504). Products in f16 would be rounded to 11 bits each for no gain in memory traffic. Tiles in workgroup memory are f16, which halves
 * what the inner loop reads; tensors in buffers stay f32, so that everything around these two families needs no second version.
 */
import type { Kernel, Numerics } from '../runtime/kernel.ts';

/** What operands pass through as they are read. Not f32(f16(x)): compilers may leave that out (Mesa does). */
const ROUNDING: Readonly<Record<Numerics, string>> = {
  f32: `
fn operand(x: f32) -> f32 { return x; }
fn operands(x: vec4f) -> vec4f { return x; }
`,
  f16: `
fn operand(x: f32) -> f32 {
  let rounded = quantizeToF16(x);
  return select(rounded, 0.0, abs(rounded) < 0x1p-14f);
}
fn operands(x: vec4f) -> vec4f {
  let rounded = quantizeToF16(x);
  return select(rounded, vec4f(), abs(rounded) < vec4f(0x1p-14f));
}
`,
};

/** The element of a tile in workgroup memory, which holds exactly what was rounded before. */
const TILE_ELEMENT: Readonly<Record<Numerics, string>> = {
  f32: 'alias Four = vec4f; ',
  f16: 'enable f16; alias Four = vec4h; ',
};

/** A text of the class. The first line stays the first, so that messages of a compiler name the line in the file. */
function inClass(wgsl: string, numerics: Numerics): string {
  const text = wgsl + ROUNDING[numerics];
  if (!wgsl.includes('Four')) return text;
  return `${TILE_ELEMENT[numerics]}${text}fn four(x: vec4f) -> Four { return Four(operands(x)); }\n`;
}

/**
 * The kernels of a family, each made when it is first used and then kept.
 * @param files where its texts lie, up to `_variant.wgsl`.
 * @param library is appended to each text.
 */
export function kernelFamily(
  name: string,
  files: string,
  bindings: Kernel['bindings'],
  library = '',
): (variant: string, traits: string, numerics: Numerics, text: () => string) => Kernel {
  const kernels = new Map<string, Kernel>();
  return (variant, traits, numerics, text) => {
    const full = [name, variant, traits, numerics === 'f32' ? '' : numerics].filter(Boolean).join(' ');
    let kernel = kernels.get(full);
    if (!kernel) {
      const wgsl = inClass(text() + library, numerics);
      kernel = { name: full, file: `src/kernels/${files}_${variant}.wgsl`, wgsl, bindings };
      kernels.set(full, kernel);
    }
    return kernel;
  };
}
