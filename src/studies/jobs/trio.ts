/** Three networks: barriers between every two, once the second and the third are matched to the first. */
import { matchedBarriers } from '../../rebasin/analysis/matched-barriers.ts';
import { equallySpaced } from '../../rebasin/interpolation/barrier.ts';
import type { TrioSpec } from '../job-spec.ts';
import type { Json } from '../result-store.ts';
import type { Workbench } from '../workbench.ts';
import { withMatching } from './align.ts';

/** On test images: a barrier for each pair, `AB`, `AC` and `BC`; and `gap`, by how much the loss barrier of BC is above the mean of the others. */
export async function trio(bench: Workbench, spec: TrioSpec): Promise<Record<string, Json>> {
  const { context, onProgress } = bench;
  return await withMatching(bench, spec.networks, spec.match, async ({ networks, matching }) => {
    const { pairs } = await matchedBarriers(context, {
      ...{ ...matching, networks, lambda: equallySpaced(spec.points), ends: 'raw' },
      data: { test: await bench.uploadTest(spec.data) },
      onProgress: ({ done, total }) => onProgress?.({ done, total }),
    });
    const [ab, ac, bc] = pairs.map(({ curves }) => curves.test!.barrier);
    const gap = bc!.loss - (ab!.loss + ac!.loss) / 2;
    return { AB: { ...ab! }, AC: { ...ac! }, BC: { ...bc! }, gap };
  });
}
