/** All studies, in the order in which they are told. */
import type { Study } from '../study.ts';
import { counterexample } from './counterexample.ts';
import { depth } from './depth.ts';
import { distance } from './distance.ts';
import { pruning } from './pruning.ts';
import { recipe } from './recipe.ts';
import { recovery } from './recovery.ts';
import { singularVectors } from './singular-vectors.ts';
import { splitData } from './split-data.ts';
import { straightThrough } from './straight-through.ts';
import { trainingTime } from './training-time.ts';
import { width } from './width.ts';

export const STUDIES: readonly Study[] = [
  width,
  trainingTime,
  recipe,
  distance,
  singularVectors,
  straightThrough,
  depth,
  pruning,
  splitData,
  recovery,
  counterexample,
];
