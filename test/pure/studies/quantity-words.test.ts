import { describe, expect, test } from 'vitest';
import { STUDIES } from '../../../src/studies/library/index.ts';
import { quantityWords } from '../../../src/studies/quantity-words.ts';
import { STUDY_SIZES } from '../../../src/studies/study.ts';

describe('quantityWords', () => {
  test('tells path and place', () => {
    const at = { matching: 'weight', width: 64 };
    expect(quantityWords({ path: 'none|barrier|loss', at })).toBe('loss barrier, weights matched, width 64');
    expect(quantityWords({ path: 'repair|midpoint|accuracy' })).toBe('accuracy half-way, repair');
    expect(quantityWords({ path: 'steps', at: { learningRate: 0.1 } })).toBe('steps, learning rate 0.1');
    expect(quantityWords({ path: 'some|thing' })).toBe('some thing');
  });

  test('has words for whatever a claim compares', () => {
    for (const study of STUDIES) {
      for (const claim of STUDY_SIZES.flatMap((size) => study.claims(size))) {
        for (const { larger, smaller } of claim.holds) {
          for (const quantity of [larger, ...(typeof smaller === 'number' ? [] : [smaller])]) {
            const plain = quantity.path.replaceAll('|', ' ');
            if (quantity.path.includes('|')) expect(quantityWords(quantity)).not.toContain(plain);
          }
        }
      }
    }
  });
});
