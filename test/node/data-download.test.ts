/** Downloads from a server on this machine that misbehaves in the ways of real ones. Never the network. */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Command, CommanderError } from 'commander';
import { pack } from 'tar-fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FormatError, OptionError } from '../../src/base/errors.ts';
import { registerData } from '../../src/cli/data-command.ts';
import { DownloadError, type DownloadOptions, download } from '../../src/io/node-download.ts';
import { fetchDataset } from '../../src/io/node-public-data.ts';
import { PUBLIC_DATASETS, type PublicDataset, publicDataset } from '../../src/io/public-datasets.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const CONTENT = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 31) >> 5);
const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex');
/** Quick to fail and quick to try again. */
const HASTY = { retryDelayMs: 1, stallMs: 5000 };

let folder = '';
let server: Server;
let base = '';
/** The ranges that were asked for, in order. */
let asked: (string | undefined)[] = [];
let answer: Answer;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rebasin-'));
  asked = [];
  server = createServer((request, response) => {
    asked.push(request.headers.range);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

/** Serves ranges of bytes; sends at most `most` bytes, then cuts the connection. */
function ranges(bytes: Uint8Array, most = Infinity): Answer {
  return (request, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const rest = bytes.subarray(from);
    const range = { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': rest.length, ...(from > 0 ? range : {}) });
    if (rest.length <= most) response.end(rest);
    // A moment later: fetch throws away what was not yet read when the connection breaks.
    else response.write(rest.subarray(0, most), () => setTimeout(() => response.destroy(), 50));
  };
}

const status =
  (code: number): Answer =>
  (_, response) =>
    response.writeHead(code).end('no');
const request = () => ({
  url: `${base}file.bin`,
  path: join(folder, 'file.bin'),
  bytes: CONTENT.length,
  md5: md5(CONTENT),
});
const content = () => new Uint8Array(readFileSync(join(folder, 'file.bin')));

describe('download', () => {
  it('fetches, verifies, leaves no other file, and fetches nothing when the file is there', async () => {
    answer = ranges(CONTENT);
    const progress: number[] = [];
    expect(await download(request(), { ...HASTY, onProgress: (received) => progress.push(received) })).toBe(
      true,
    );
    expect(content()).toEqual(CONTENT);
    expect(readdirSync(folder)).toEqual(['file.bin']);
    expect(progress[0]).toBe(0);
    expect(progress.at(-1)).toBe(CONTENT.length);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(await download(request(), HASTY)).toBe(false);
    expect(asked).toEqual([undefined]);
  });

  it('continues by Range where a connection was cut, as often as it takes', async () => {
    answer = ranges(CONTENT, 60_000);
    await download(request(), HASTY);
    expect(content()).toEqual(CONTENT);
    expect(asked.length).toBeGreaterThanOrEqual(4);
    expect(asked[0]).toBe(undefined);
    for (const range of asked.slice(1)) expect(range).toMatch(/^bytes=[1-9]\d*-$/);
  });

  it('a later run continues what an earlier one left', async () => {
    writeFileSync(join(folder, 'file.bin.part'), CONTENT.subarray(0, 150_000));
    answer = ranges(CONTENT);
    await download(request(), HASTY);
    expect(content()).toEqual(CONTENT);
    expect(asked).toEqual(['bytes=150000-']);
  });

  it('a whole part is verified without asking; a longer one is of something else and goes', async () => {
    writeFileSync(join(folder, 'file.bin.part'), CONTENT);
    await download(request(), HASTY);
    expect(asked).toEqual([]);
    rmSync(join(folder, 'file.bin'));
    writeFileSync(join(folder, 'file.bin.part'), new Uint8Array(CONTENT.length + 1));
    answer = ranges(CONTENT);
    await download(request(), HASTY);
    expect(asked).toEqual([undefined]);
    expect(content()).toEqual(CONTENT);
  });

  it('starts again with a server that knows no ranges', async () => {
    writeFileSync(join(folder, 'file.bin.part'), CONTENT.subarray(0, 1000));
    answer = (_, response) => response.writeHead(200).end(CONTENT);
    await download(request(), HASTY);
    expect(content()).toEqual(CONTENT);
  });

  it('starts again when the server answers with another range, or with none (416)', async () => {
    for (const code of [206, 416]) {
      writeFileSync(join(folder, 'file.bin.part'), CONTENT.subarray(0, 1000));
      const whole = ranges(CONTENT);
      answer = (incoming, response) => {
        if (!incoming.headers.range) return whole(incoming, response);
        response.writeHead(code, { 'content-range': 'bytes 5-9/10' }).end('wrong');
      };
      await download(request(), HASTY);
      expect(content()).toEqual(CONTENT);
      rmSync(join(folder, 'file.bin'));
    }
  });

  it('a wrong checksum is an error that names both, and nothing of the file stays', async () => {
    const other = CONTENT.with(77, CONTENT[77]! ^ 1);
    answer = ranges(other);
    await expect(download(request(), HASTY)).rejects.toThrow(DownloadError);
    await expect(download(request(), HASTY)).rejects.toThrow(
      `expected the MD5 checksum ${md5(CONTENT)}, got ${md5(other)}`,
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  it('a missing file is an error at once; a server in trouble is asked three times', async () => {
    answer = status(404);
    await expect(download(request(), HASTY)).rejects.toThrow(
      /file\.bin: expected the file, got the answer 404 Not Found.*--mirror/,
    );
    expect(asked.length).toBe(1);
    answer = status(503);
    await expect(download(request(), HASTY)).rejects.toThrow(
      /got 0 and then the answer 503 Service Unavailable/,
    );
    expect(asked.length).toBe(4);
  });

  it('a server in trouble that recovers is no error', async () => {
    const whole = ranges(CONTENT);
    answer = (incoming, response) => (asked.length < 3 ? status(500) : whole)(incoming, response);
    expect(await download(request(), HASTY)).toBe(true);
  });

  it('a file of another length is refused before and while it comes', async () => {
    answer = ranges(CONTENT.subarray(1));
    await expect(download(request(), HASTY)).rejects.toThrow(
      /expected a file of 200000 bytes, got one of 199999/,
    );
    answer = (_, response) => {
      response.writeHead(200);
      response.write(CONTENT);
      response.end('more');
    };
    await expect(download(request(), HASTY)).rejects.toThrow(/expected 200000 bytes, got more/);
  });

  it('no network: the reason is told', async () => {
    answer = status(200);
    const closed = { ...request(), url: 'http://127.0.0.1:1/file.bin' };
    await expect(download(closed, { ...HASTY, attempts: 2 })).rejects.toThrow(
      /got 0 and then .*(ECONNREFUSED|bad port).*Check the network/,
    );
  });

  it('a connection on which nothing comes is given up', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': CONTENT.length });
      response.write(CONTENT.subarray(0, 10));
    };
    await expect(download(request(), { ...HASTY, stallMs: 100, attempts: 1 })).rejects.toThrow(
      /nothing for 0\.1 seconds/,
    );
  });

  it('stopped by its signal, it keeps what has come', async () => {
    const controller = new AbortController();
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': CONTENT.length });
      response.write(CONTENT.subarray(0, 5000));
    };
    const onProgress = (received: number) => received >= 5000 && controller.abort();
    const options: DownloadOptions = { ...HASTY, signal: controller.signal, onProgress };
    await expect(download(request(), options)).rejects.toThrow(
      expect.objectContaining({ name: 'AbortError' }),
    );
    expect(readFileSync(join(folder, 'file.bin.part')).length).toBe(5000);
  });

  it('another file in its place is not overwritten', async () => {
    writeFileSync(join(folder, 'file.bin'), 'mine');
    await expect(download(request(), HASTY)).rejects.toThrow(/expected no file or the published one/);
    expect(readFileSync(join(folder, 'file.bin'), 'utf8')).toBe('mine');
  });

  it.skipIf(!existsSync('/dev/full'))(
    'a full disk is told (skipped where there is no /dev/full)',
    async () => {
      symlinkSync('/dev/full', join(folder, 'file.bin.part'));
      answer = ranges(CONTENT);
      await expect(download(request(), HASTY)).rejects.toThrow(
        /file\.bin\.part: expected room for 200000 bytes, got a full disk\. Make room/,
      );
    },
  );

  it('a folder that cannot be made is told', async () => {
    writeFileSync(join(folder, 'file'), '');
    const within = { ...request(), path: join(folder, 'file', 'deep', 'file.bin') };
    await expect(download(within, HASTY)).rejects.toThrow(
      /expected a folder that can be made, got .*Check folder and rights/,
    );
  });
});

describe('fetchDataset', () => {
  /** A .tar.gz of [name, text], and of links as [name, text, where it leads]. */
  async function archive(
    ...entries: (readonly [name: string, text: string, link?: string])[]
  ): Promise<Uint8Array> {
    const from = mkdtempSync(join(tmpdir(), 'rebasin-'));
    for (const [i, [, text, link]] of entries.entries()) {
      if (link === undefined) writeFileSync(join(from, String(i)), text);
      else symlinkSync(link, join(from, String(i)));
    }
    const pieces: Uint8Array[] = [];
    const tar = pack(from, {
      entries: entries.map((_, i) => String(i)),
      map: (header) => ({ ...header, name: entries[Number(header.name)]![0], uid: 12345 }),
    });
    for await (const piece of tar) pieces.push(piece as Uint8Array);
    rmSync(from, { recursive: true });
    return gzipSync(Buffer.concat(pieces));
  }

  const describeArchive = (bytes: Uint8Array): PublicDataset => ({
    name: 'tiny',
    source: 'http://127.0.0.1:1/',
    origin: 'this test',
    files: [
      {
        name: 'tiny.tar.gz',
        bytes: bytes.length,
        md5: md5(bytes),
        members: [
          { name: 'train.bin', bytes: 5 },
          { name: 'test.bin', bytes: 3 },
        ],
      },
    ],
  });

  it('takes the described members out of an archive, wherever they lie in it, and nothing else', async () => {
    const bytes = await archive(
      ['tiny/train.bin', 'train'],
      ['tiny/readme.html', '<html>'],
      ['../../test.bin', 'abc'],
      ['train.bin', 'longer than described'],
    );
    answer = ranges(bytes);
    const dataset = describeArchive(bytes);
    const result = await fetchDataset(dataset, folder, { ...HASTY, mirror: base.slice(0, -1) });
    expect(result).toEqual({ files: ['train.bin', 'test.bin'], downloaded: 1 });
    expect(readdirSync(folder).sort()).toEqual(['test.bin', 'train.bin']);
    expect(readFileSync(join(folder, 'train.bin'), 'utf8')).toBe('train');
    expect(readFileSync(join(folder, 'test.bin'), 'utf8')).toBe('abc');
    expect(existsSync(join(folder, '..', '..', 'test.bin'))).toBe(false);
    // Again: all is there. One cut short: fetched anew.
    expect((await fetchDataset(dataset, folder, { ...HASTY, mirror: base })).downloaded).toBe(0);
    writeFileSync(join(folder, 'train.bin'), 'tra');
    expect((await fetchDataset(dataset, folder, { ...HASTY, mirror: base })).downloaded).toBe(1);
    expect(readFileSync(join(folder, 'train.bin'), 'utf8')).toBe('train');
  });

  it('an archive without a member, or with a link in its place, is refused and leaves nothing unpacked', async () => {
    for (const entry of [['other.bin', 'abc'] as const, ['test.bin', '', '/etc/passwd'] as const]) {
      const bytes = await archive(['train.bin', 'train'], entry);
      answer = ranges(bytes);
      const dataset = describeArchive(bytes);
      await expect(fetchDataset(dataset, folder, { ...HASTY, mirror: base })).rejects.toThrow(FormatError);
      expect(readdirSync(folder)).toEqual(['tiny.tar.gz']);
      rmSync(join(folder, 'tiny.tar.gz'));
    }
  });

  it('every public data set has sound descriptions', () => {
    expect(PUBLIC_DATASETS.map(({ name }) => name)).toEqual([
      'mnist',
      'fashion-mnist',
      'cifar-10',
      'cifar-100',
    ]);
    for (const { source, files } of PUBLIC_DATASETS) {
      expect(source).toMatch(/^https?:\/\/.*\/$/);
      for (const file of files) {
        expect(file.md5).toMatch(/^[0-9a-f]{32}$/);
        for (const { bytes } of file.members ?? []) expect([bytes % 3073, bytes % 3074]).toContain(0);
      }
    }
    expect(() => publicDataset('imagenet')).toThrow(OptionError);
    expect(() => publicDataset('imagenet')).toThrow(
      /mnist, fashion-mnist, cifar-10, cifar-100, got "imagenet"/,
    );
  });
});

describe('rebasin data', () => {
  const mnist = '../shared/data/mnist';

  async function run(...args: string[]): Promise<string> {
    const program = new Command('rebasin').exitOverride().configureOutput({ writeErr: () => {} });
    registerData(program);
    for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: () => {} });
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const progress = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      await program.parseAsync(['data', ...args], { from: 'user' });
      return write.mock.calls.join('');
    } finally {
      write.mockRestore();
      progress.mockRestore();
    }
  }

  it.skipIf(!existsSync(mnist))(
    `fetches MNIST, served from ${mnist} (skipped where it is not), by its published checksums`,
    async () => {
      answer = (incoming, response) => ranges(readFileSync(join(mnist, incoming.url!)))(incoming, response);
      const out = join(folder, 'new', 'mnist');
      const result = JSON.parse(await run('mnist', '--mirror', base, '--out', out, '--json'));
      expect(result).toMatchObject({ command: 'data', dataset: 'mnist', folder: out, downloaded: 4 });
      expect(readdirSync(out).sort()).toEqual([...result.files].sort());
      expect(await run('mnist', '--mirror', base, '--out', out)).toMatch(
        /mnist is in .*it was already.*\n.*LeCun.*\n.*--data/,
      );
      expect(asked.length).toBe(4);
    },
  );

  it('refuses unknown names and addresses that are none', async () => {
    await expect(run('imagenet')).rejects.toThrow(OptionError);
    await expect(run('mnist', '--mirror', 'ftp://x')).rejects.toThrow(CommanderError);
    mkdirSync(join(folder, 'empty'));
    answer = status(404);
    await expect(run('mnist', '--mirror', base, '--out', join(folder, 'empty'))).rejects.toThrow(/404/);
    expect(readdirSync(join(folder, 'empty'))).toEqual([]);
  });
});
