/** Every convolutional family and every re-normalisation: which go together, and the reasons of those that do not. */
import { describe, expect, it } from 'vitest';
import { UnsupportedError } from '../../../src/base/errors.ts';
import { parseModel } from '../../../src/nn/models/parse-model.ts';
import { checkRenormalisation, RENORMALISATIONS } from '../../../src/rebasin/renormalise/renormalisations.ts';
import { RENORMALISATION_TABLE } from '../../support/renormalisation-table.ts';

const cases = Object.entries(RENORMALISATION_TABLE).flatMap(([name, row]) =>
  RENORMALISATIONS.map((renormalise) => [renormalise, name, row[renormalise]] as const),
);

describe('checkRenormalisation', () => {
  it.each(cases)('%s of %s: %s', (renormalise, name, answer) => {
    const check = () => checkRenormalisation(renormalise, parseModel(name));
    if (answer === 'works') expect(check).not.toThrow();
    else {
      expect(check).toThrow(UnsupportedError);
      expect(check).toThrow(answer);
    }
  });

  it('looks at the layers that were asked for', () => {
    const single = parseModel('mlp:784-10');
    expect(() => checkRenormalisation('repair', single)).toThrow(/no hidden layer/);
    expect(() => checkRenormalisation('repair', single, { layers: 'all' })).not.toThrow();
    const unbiased = parseModel('mlp:784-16-10:no-bias');
    expect(() => checkRenormalisation('repair', unbiased)).not.toThrow();
  });
});
