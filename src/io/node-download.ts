/**
 * Downloads a file whose length and checksum are known, for Node. It grows under a temporary name beside its place, is continued where it
 * stopped (in the same run or a later one, by HTTP Range), and gets its name only once the checksum is right.
 */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RebasinError } from '../base/errors.ts';

/** A download that cannot be finished: no network, another file than published, no space. */
export class DownloadError extends RebasinError {
  override name = 'DownloadError';
}

/** What to download. */
export interface DownloadRequest {
  readonly url: string;
  /** Where the file goes. `path` + `.part` holds what has come so far. */
  readonly path: string;
  readonly bytes: number;
  readonly md5: string;
}

/** How to download. */
export interface DownloadOptions {
  /** Stops at the next piece; what has come so far stays and is continued by the next call. */
  readonly signal?: AbortSignal;
  /** Called with the number of bytes that are there. */
  readonly onProgress?: (received: number) => void;
  /** How often in a row a connection may fail before a byte has come. Default 3. */
  readonly attempts?: number;
  /** Pause before the next attempt, in milliseconds. Default 1000. */
  readonly retryDelayMs?: number;
  /** How long nothing may come before a connection counts as failed, in milliseconds. Default 60000. */
  readonly stallMs?: number;
}

/** Marks a failure of the connection: another attempt may succeed. */
class ConnectionError extends Error {}

/**
 * Downloads a file, or finds that it is there already.
 * @returns whether it had to be fetched.
 * @throws DownloadError naming the address or path, what was expected, what came and what to do; an AbortError when `signal` stops it.
 */
export async function download(request: DownloadRequest, options: DownloadOptions = {}): Promise<boolean> {
  const { url, path, bytes, md5 } = request;
  const { onProgress, attempts = 3, retryDelayMs = 1000, signal } = options;
  const part = `${path}.part`;
  if ((await sizeOf(path)) !== undefined) {
    if ((await md5Of(path)) !== md5) {
      throw new DownloadError(
        `download: ${path}: expected no file or the published one (MD5 ${md5}), got another. Move it away or choose another folder.`,
      );
    }
    onProgress?.(bytes);
    return false;
  }
  await disk(dirname(path), 'a folder that can be made', () => mkdir(dirname(path), { recursive: true }));
  for (let failures = 0; ; ) {
    const before = await usefulSize(part, bytes);
    onProgress?.(before);
    if (before === bytes) break;
    try {
      await fetchRest(request, part, before, options);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof ConnectionError)) throw error;
      failures = (await usefulSize(part, bytes)) > before ? 1 : failures + 1;
      if (failures >= attempts) {
        throw new DownloadError(
          `download: ${url}: expected ${bytes} bytes, got ${before} and then ${error.message}. ` +
            'Check the network, or name another server with --mirror; the next run continues.',
          { cause: error },
        );
      }
      await sleep(retryDelayMs, undefined, signal ? { signal } : {});
    }
  }
  const actual = await md5Of(part);
  if (actual !== md5) {
    // Nothing of it can be trusted, so the next run must not continue it.
    await rm(part, { force: true });
    throw new DownloadError(
      `download: ${url}: expected the MD5 checksum ${md5}, got ${actual}. The file was removed; the server holds another one or the ` +
        'transfer was damaged: try again, or name another server with --mirror.',
    );
  }
  await disk(path, 'a path that can be written', () => rename(part, path));
  return true;
}

/** Appends to `part` what is missing. @throws ConnectionError where another attempt may help, DownloadError where none will. */
async function fetchRest(
  { url, bytes }: DownloadRequest,
  part: string,
  from: number,
  { onProgress, signal, stallMs = 60000 }: DownloadOptions,
): Promise<void> {
  const watch = new Watch(stallMs, signal);
  let file: FileHandle | undefined;
  try {
    const response = await watch.connected(
      fetch(url, {
        // Compressed on the way, the bytes would not be those that the checksum is of.
        headers: { 'accept-encoding': 'identity', ...(from > 0 ? { range: `bytes=${from}-` } : {}) },
        signal: watch.signal,
      }),
    );
    const start = await startOf(response, url, from, bytes, part);
    file = await disk(part, 'a file that can be written', () => open(part, start > 0 ? 'a' : 'w'));
    let received = start;
    const reader = response.body!.getReader();
    while (true) {
      const { done, value } = await watch.connected(reader.read());
      if (done) break;
      received += value.length;
      if (received > bytes) {
        throw new DownloadError(
          `download: ${url}: expected ${bytes} bytes, got more. The server holds another file; name another with --mirror.`,
        );
      }
      const opened = file;
      await disk(part, `room for ${bytes} bytes`, () => opened.writeFile(value));
      onProgress?.(received);
    }
    if (received < bytes) throw new ConnectionError(`the connection ended after ${received}`);
    await disk(part, `room for ${bytes} bytes`, () => file!.sync());
  } finally {
    watch.stop();
    await file?.close();
  }
}

/** Where the body of a response starts within the file. */
async function startOf(
  response: Response,
  url: string,
  from: number,
  bytes: number,
  part: string,
): Promise<number> {
  const { status, statusText, headers } = response;
  if (status === 206) {
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '');
    if (range && Number(range[1]) === from && (range[2] === '*' || Number(range[2]) === bytes)) return from;
    await rm(part, { force: true });
    throw new ConnectionError(`the range "${headers.get('content-range')}" instead of ${from}- of ${bytes}`);
  }
  if (status === 200) {
    // A server without ranges sends everything again.
    const length = headers.get('content-length');
    if (length === null || Number(length) === bytes) return 0;
    throw new DownloadError(
      `download: ${url}: expected a file of ${bytes} bytes, got one of ${length}. The server holds another file; name another with --mirror.`,
    );
  }
  const answer = `the answer ${status} ${statusText}`.trimEnd();
  if (status === 416) await rm(part, { force: true });
  if (status === 416 || status === 429 || status >= 500) throw new ConnectionError(answer);
  throw new DownloadError(
    `download: ${url}: expected the file, got ${answer}. Name another server with --mirror.`,
  );
}

/** Turns failures of the network into ConnectionErrors, and a connection on which nothing comes into a failure. */
class Watch {
  readonly #controller = new AbortController();
  readonly #stallMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly signal: AbortSignal;

  constructor(stallMs: number, outer: AbortSignal | undefined) {
    this.#stallMs = stallMs;
    this.signal = outer ? AbortSignal.any([outer, this.#controller.signal]) : this.#controller.signal;
  }

  async connected<T>(step: Promise<T>): Promise<T> {
    const stalled = new ConnectionError(`nothing for ${this.#stallMs / 1000} seconds`);
    this.#timer = setTimeout(() => this.#controller.abort(stalled), this.#stallMs);
    try {
      return await step;
    } catch (cause) {
      throw cause instanceof ConnectionError ? cause : new ConnectionError(reasonOf(cause), { cause });
    } finally {
      clearTimeout(this.#timer);
    }
  }

  /** Ends the connection, if it is still there. */
  stop(): void {
    this.#controller.abort();
  }
}

/** `getaddrinfo ENOTFOUND host` rather than the "fetch failed" around it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message || error.message : error.message;
}

/** Runs a step on the disk. @throws DownloadError naming the path and the reason. */
async function disk<T>(path: string, expected: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    const full = cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC';
    throw new DownloadError(
      `download: ${path}: expected ${expected}, got ${full ? 'a full disk' : reasonOf(cause)}. ` +
        (full ? 'Make room or choose another folder; the next run continues.' : 'Check folder and rights.'),
      { cause },
    );
  }
}

/** Bytes that have come so far. A longer file is of something else and goes. */
async function usefulSize(part: string, bytes: number): Promise<number> {
  const size = (await sizeOf(part)) ?? 0;
  if (size <= bytes) return size;
  await rm(part, { force: true });
  return 0;
}

async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
}

async function md5Of(path: string): Promise<string> {
  const hash = createHash('md5');
  await disk(path, 'a file that can be read', async () => {
    for await (const piece of createReadStream(path)) hash.update(piece as Uint8Array);
  });
  return hash.digest('hex');
}
