/** What holds GPU objects until it is destroyed. */
export interface Destroyable {
  /** Frees them. */
  destroy(): void;
}

/** What a function makes on the GPU and has to free, whether it ends or throws: `try { scope.own(...) } finally { scope.destroy() }`. */
export class Scope {
  readonly #owned: Destroyable[] = [];

  /** Takes something over and hands it on: `const arena = scope.own(new Arena(...))`. */
  own<T extends Destroyable>(made: T): T {
    this.#owned.push(made);
    return made;
  }

  /** Destroys everything, in the order in which it came. */
  destroy(): void {
    for (const made of this.#owned.splice(0)) made.destroy();
  }
}
