// An application with a bundler: aligns checkpoint B to checkpoint A, both chosen from the disk, and offers B permuted as a download.
// npx esbuild main.js --bundle --format=esm --outfile=app.js   (Vite, Rollup and webpack need no settings either)
import {
  expectSameArchitecture,
  matchModels,
  readStateDict,
  recogniseModel,
  requestContext,
  stateDictOf,
  stateEntries,
  valuesOf,
  writeStateDict,
} from 'rebasin';

const element = (id) => document.getElementById(id);
const status = element('status');

async function read(file) {
  return await readStateDict(new Uint8Array(await file.arrayBuffer()), file.name);
}

async function align(fileA, fileB) {
  const [a, b] = await Promise.all([read(fileA), read(fileB)]);
  expectSameArchitecture(a, b, fileA.name, fileB.name);
  const model = recogniseModel([...a.entries].map(([name, { shape }]) => ({ name, shape })));
  const context = await requestContext();
  try {
    const { aligned, fields } = await matchModels(context, {
      model,
      a: valuesOf(a),
      b: valuesOf(b),
      onProgress: ({ note }) => {
        status.textContent = note;
      },
    });
    const bytes = writeStateDict(stateDictOf(stateEntries(model), aligned, b.metadata));
    return { bytes, text: `${model.name}: distance ${distance(fields.distance)}` };
  } finally {
    context.destroy(); // frees every buffer
  }
}

const distance = ({ before, after }) => `${before.toFixed(2)} -> ${after.toFixed(2)}`;

async function start() {
  const [a, b] = ['a', 'b'].map((id) => element(id).files[0]);
  if (!a || !b) return;
  try {
    const { bytes, text } = await align(a, b);
    const link = element('download');
    link.href = URL.createObjectURL(new Blob([bytes]));
    link.download = 'aligned.safetensors';
    link.hidden = false;
    status.textContent = text;
  } catch (error) {
    status.textContent = error.message; // says what was expected, what came, what to do
  }
}

for (const id of ['a', 'b']) element(id).addEventListener('change', start);
