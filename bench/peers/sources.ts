/** The peers, in the order in which they take turns. */
import { jaxSource } from './jax.ts';
import { assignmentSource } from './linear-sum-assignment.ts';
import { onnxruntimeSource } from './onnxruntime.ts';
import type { PeerSource } from './peer.ts';
import { tfjsSource } from './tfjs.ts';

export const peerSources: readonly PeerSource[] = [
  jaxSource,
  tfjsSource,
  onnxruntimeSource,
  assignmentSource,
];

/** All but the named engines. @throws RangeError for a name that none has. */
export function peersWithout(engines: readonly string[]): PeerSource[] {
  const known = peerSources.map(({ engine }) => engine);
  const unknown = engines.find((engine) => !known.includes(engine));
  if (unknown !== undefined)
    throw new RangeError(`there is no peer "${unknown}"; there are ${known.join(', ')}`);
  return peerSources.filter(({ engine }) => !engines.includes(engine));
}
