/** A GPU context for tests: one per test file, checked after every test for leaked buffers and late GPU errors. */
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { type Context, type ContextOptions, requestContextOn } from '../../src/runtime/context.ts';
import { platform } from './platform.ts';

/**
 * Call once at the top of a test file; the returned getter gives the context inside tests.
 * After each test: whatever was recorded runs without a GPU error, and no buffer made in the test is still live.
 */
export function useContext(options: ContextOptions = {}): () => Context {
  let context: Context | undefined;
  let liveBefore = 0;
  beforeAll(async () => {
    context = await requestContextOn(platform, options);
  });
  beforeEach(() => {
    liveBefore = context!.statistics.liveBuffers;
  });
  afterEach(async () => {
    await context!.finish();
    expect(context!.statistics.liveBuffers - liveBefore, 'GPU buffers left live by this test').toBe(0);
  });
  afterAll(() => context?.destroy());
  return () => context!;
}
