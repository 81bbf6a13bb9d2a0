/** Figures as files that stand alone: an SVG with its colours and fonts written out, and a PNG of it. */
import { download } from './download.ts';

/** The text of an SVG file that looks as the figure does now, on the page's background. */
function svgText(figure: SVGElement): string {
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
  return new XMLSerializer().serializeToString(copy);
}

export function downloadSvg(name: string, figure: SVGElement): void {
  download(name, svgText(figure), 'image/svg+xml');
}

/** Saves a figure as a PNG, twice as fine as on the screen. */
export async function downloadPng(name: string, figure: SVGElement, scale = 2): Promise<void> {
  const { width, height } = figure.getBoundingClientRect();
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svgText(figure))}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = Math.ceil(width * scale);
  canvas.height = Math.ceil(height * scale);
  const drawing = canvas.getContext('2d')!;
  drawing.fillStyle = backgroundOf(figure);
  drawing.fillRect(0, 0, canvas.width, canvas.height);
  drawing.drawImage(image, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (blob) download(name, blob, 'image/png');
}

function backgroundOf(figure: Element): string {
  return getComputedStyle(figure).getPropertyValue('--rebasin-background').trim() || '#fff';
}
