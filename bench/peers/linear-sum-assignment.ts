/** The npm package `linear-sum-assignment` (Jonker and Volgenant's algorithm on `ml-matrix`), which knows nothing of GPUs. */
import type { Contestant } from '../case.ts';
import { type Peer, PeerCannot, type PeerHost, type PeerSource } from './peer.ts';

const PACKAGES = ['linear-sum-assignment'];

/** It takes seconds above. */
const LARGEST = 512;

export const assignmentSource: PeerSource = {
  engine: 'linear-sum-assignment',
  packages: PACKAGES,
  async load(host: PeerHost): Promise<Peer> {
    const { linearSumAssignment } = await import('linear-sum-assignment');
    return {
      engine: 'linear-sum-assignment',
      versions: host.versions(PACKAGES),
      concerns: ({ kind }) => kind === 'assignment',
      async contestant(problem): Promise<Contestant> {
        if (problem.kind !== 'assignment') throw new PeerCannot('it solves assignment problems');
        const { n, matrix } = problem;
        if (n > LARGEST) throw new PeerCannot(`it takes seconds above n = ${LARGEST}: left out`);
        const rows = Array.from({ length: n }, (_, i) => Array.from(matrix.subarray(i * n, i * n + n)));
        let columns: ArrayLike<number> = [];
        return {
          async run() {
            columns = linearSumAssignment(rows, { maximaze: true }).rowAssignments;
          },
          read: async () => [Float32Array.from(columns)],
          destroy() {},
        };
      },
    };
  },
};
