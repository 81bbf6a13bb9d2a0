/** Figures as files that stand alone: an SVG with its colours and fonts written out, and a PNG of it. */
import { download } from './download.ts';

/** A copy of a drawing that looks as it does now, on the page's background, without the page's style sheet. */
function standalone(figure: SVGElement): SVGElement {
  const copy = figure.cloneNode(true) as SVGElement;
  const originals = [figure, ...figure.querySelectorAll<SVGElement>('*')];
  for (const [i, element] of [copy, ...copy.querySelectorAll<SVGElement>('*')].entries()) {
    const computed = getComputedStyle(originals[i]!);
    // Colours that the page's style sheet decides.
    for (const { name, value } of [...element.attributes]) {
      if (name !== 'style' && /var\(|currentColor/.test(value)) {
        element.setAttribute(name, computed.getPropertyValue(name));
      }
    }
    for (const name of [...element.style]) {
      if (element.style.getPropertyValue(name).includes('var(')) {
        element.style.setProperty(name, computed.getPropertyValue(name));
      }
    }
  }
  const { width, height } = figure.getBoundingClientRect();
  const { color, fontFamily, fontSize } = getComputedStyle(figure);
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  copy.setAttribute('width', String(width));
  copy.setAttribute('height', String(height));
  Object.assign(copy.style, { color, fontFamily, fontSize, background: backgroundOf(figure) });
  return copy;
}

/** The size that drawings have one below the other. */
function sizeOf(drawings: readonly SVGElement[]): { readonly width: number; readonly height: number } {
  const boxes = drawings.map((drawing) => drawing.getBoundingClientRect());
  return {
    width: Math.max(...boxes.map(({ width }) => width)),
    height: boxes.reduce((sum, { height }) => sum + height, 0),
  };
}

/** The text of an SVG file of a figure's drawings, one below the other: a legend and the picture that it is of. */
function svgText(drawings: readonly SVGElement[]): string {
  const copies = drawings.map(standalone);
  if (copies.length === 1) return new XMLSerializer().serializeToString(copies[0]!);
  const { width, height } = sizeOf(drawings);
  const whole = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  for (const [name, value] of Object.entries({ width, height })) whole.setAttribute(name, String(value));
  let y = 0;
  for (const [i, copy] of copies.entries()) {
    copy.setAttribute('y', String(y));
    whole.append(copy);
    y += drawings[i]!.getBoundingClientRect().height;
  }
  whole.style.background = backgroundOf(drawings[0]!);
  return new XMLSerializer().serializeToString(whole);
}

/** @param drawings of one figure, at least one. */
export function downloadSvg(name: string, drawings: readonly SVGElement[]): void {
  download(name, svgText(drawings), 'image/svg+xml');
}

/** Saves a figure as a PNG, twice as fine as on the screen. @throws Error where the browser cannot draw it. */
export async function downloadPng(name: string, drawings: readonly SVGElement[], scale = 2): Promise<void> {
  const { width, height } = sizeOf(drawings);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svgText(drawings))}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = Math.ceil(width * scale);
  canvas.height = Math.ceil(height * scale);
  const drawing = canvas.getContext('2d')!;
  drawing.fillStyle = backgroundOf(drawings[0]!);
  drawing.fillRect(0, 0, canvas.width, canvas.height);
  drawing.drawImage(image, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (!blob) throw new Error('the browser could not draw a picture of this size; save the SVG');
  download(name, blob, 'image/png');
}

function backgroundOf(figure: Element): string {
  return getComputedStyle(figure).getPropertyValue('--rebasin-background').trim() || '#fff';
}
