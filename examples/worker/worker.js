// The worker owns the GPU: it aligns the second file to the first, says how far it is, and stops when it is told to.
import * as rebasin from 'rebasin';

let running = new AbortController();

self.addEventListener('message', async ({ data }) => {
  running.abort(new Error('Cancelled.'));
  if (data.type !== 'align') return;
  running = new AbortController();
  try {
    const result = await align(data.files, running.signal);
    self.postMessage({ type: 'aligned', ...result }, [result.bytes.buffer]); // moved, not copied
  } catch (error) {
    self.postMessage({ type: 'failed', message: error.message });
  }
});

async function align(files, signal) {
  const [a, b] = await Promise.all(
    files.map(async (file) => rebasin.readStateDict(new Uint8Array(await file.arrayBuffer()), file.name)),
  );
  rebasin.expectSameArchitecture(a, b, files[0].name, files[1].name);
  const model = rebasin.recogniseModel([...a.entries].map(([name, { shape }]) => ({ name, shape })));
  const context = await rebasin.requestContext();
  try {
    const { aligned, fields } = await rebasin.matchModels(context, {
      model,
      a: rebasin.valuesOf(a),
      b: rebasin.valuesOf(b),
      signal,
      onProgress: ({ note }) => self.postMessage({ type: 'progress', message: note }),
    });
    const entries = rebasin.stateEntries(model);
    const bytes = rebasin.writeStateDict(rebasin.stateDictOf(entries, aligned, b.metadata));
    return { model: model.name, distance: fields.distance, bytes };
  } finally {
    context.destroy();
  }
}
