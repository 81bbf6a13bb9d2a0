/** The second network as it was trained, or permuted to match the first. */
export const LINE_NAMES = ['naive', 'aligned'] as const;

export type LineName = (typeof LINE_NAMES)[number];
