/** What a part of the page is, and what it gets from the shell. */
import type { Values } from './state.ts';
import type { Engine } from './worker/engine.ts';

export interface PageSection {
  readonly root: HTMLElement;
  /** Shown, with the values of the address; called again when the reader follows another link. */
  show(values: Values): void;
}

export interface Shell {
  readonly engine: Engine;
  /** Puts the section's values into the address. */
  remember(values: Values): void;
}
