import { UnsupportedError } from '../../base/errors.ts';
import type { SpectrumSpec } from '../job-spec.ts';
import type { Json } from '../result-store.ts';
import type { Workbench } from '../workbench.ts';

export async function spectrum(_: Workbench, __: SpectrumSpec): Promise<Record<string, Json>> {
  throw new UnsupportedError('not yet');
}
