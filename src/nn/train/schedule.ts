/** Learning-rate schedules: a factor for each step, multiplied by the base rate. Host numbers, the same bits everywhere. */
import { OptionError } from '../../base/errors.ts';
import { cos } from '../../base/portable.ts';

/** Factor of the base learning rate at `step` of `totalSteps`, counted from 0. */
export type Schedule = (step: number, totalSteps: number) => number;

/** The base rate throughout. */
export function constantSchedule(): Schedule {
  return () => 1;
}

/** Multiplied by `gamma` at each milestone, given as fractions of the run: `stepSchedule([0.5, 0.75], 0.1)`. */
export function stepSchedule(milestones: readonly number[], gamma = 0.1): Schedule {
  if (milestones.some((milestone) => !(milestone >= 0 && milestone <= 1))) {
    throw new OptionError(
      `stepSchedule: milestones are fractions of the run from 0 to 1, got ${milestones.join(', ')}`,
    );
  }
  return (step, totalSteps) => {
    let factor = 1;
    for (const milestone of milestones) if (step >= milestone * totalSteps) factor *= gamma;
    return factor;
  };
}

/** Falls linearly from 1 at the first step to 0 after the last. */
export function linearSchedule(): Schedule {
  return (step, totalSteps) => 1 - step / Math.max(1, totalSteps);
}

/** Half a cosine from 1 at the first step to 0 after the last (Loshchilov and Hutter 2017, without restarts). */
export function cosineSchedule(): Schedule {
  return (step, totalSteps) => 0.5 * (1 + cos((Math.PI * step) / Math.max(1, totalSteps)));
}

/** Rises linearly over the first `warmupSteps` steps (step k has (k + 1) / warmupSteps), then follows `after` over the rest. */
export function warmupSchedule(warmupSteps: number, after: Schedule): Schedule {
  return (step, totalSteps) =>
    step < warmupSteps
      ? (step + 1) / warmupSteps
      : after(step - warmupSteps, Math.max(1, totalSteps - warmupSteps));
}
