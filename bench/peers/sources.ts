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
