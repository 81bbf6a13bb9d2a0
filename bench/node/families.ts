/** Families as Node runs them: with what needs files or Dawn's null backend. */
import type { Family } from '../case.ts';
import { portableFamilies } from '../families.ts';
import { hostFamily } from './host.ts';
import { realMatchings } from './real-matchings.ts';

export const nodeFamilies: readonly Family[] = portableFamilies.map((family) => {
  if (family.name === 'host') return hostFamily;
  if (family.name !== 'assignment') return family;
  return { ...family, cases: async () => [...(await family.cases()), ...realMatchings()] };
});
