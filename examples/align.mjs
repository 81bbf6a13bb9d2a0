// Aligns checkpoint B to checkpoint A, and compares the two straight lines between them.
// node examples/align.mjs A.safetensors B.safetensors ALIGNED.safetensors
import * as rebasin from 'rebasin';

const [fileA, fileB, out] = process.argv.slice(2);
const context = await rebasin.requestContext();
const [a, b] = await Promise.all(
  [fileA, fileB].map(async (file) => rebasin.readStateDict(await rebasin.readBytes(file), file)),
);
const model = rebasin.recogniseModel([...a.entries].map(([name, { shape }]) => ({ name, shape })));
const { aligned, fields } = await rebasin.matchModels(context, {
  model,
  a: rebasin.valuesOf(a),
  b: rebasin.valuesOf(b),
});
const entries = rebasin.stateEntries(model);
await rebasin.writeBytes(out, rebasin.writeStateDict(rebasin.stateDictOf(entries, aligned, b.metadata)));
console.log(
  `${model.name}: distance ${fields.distance.before.toFixed(2)} -> ${fields.distance.after.toFixed(2)}`,
);
context.destroy();
