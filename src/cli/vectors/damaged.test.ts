import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { cli } from '../testing/run';

/** What `hartbeat vectors` says of records that are not what our JIT makes, and of files that are no records. */

const GOLDEN = path.resolve('test/golden/jit');
const directory = mkdtempSync(path.join(tmpdir(), 'hartbeat-damaged-'));
mkdirSync(path.join(directory, 'objects'));
copyFileSync(path.join(GOLDEN, '6.12.107-nozb/facts.json'), path.join(directory, 'facts.json'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Load {
  op?: string;
  name: string;
  funcs?: { image: string; extable?: string }[];
  linfo?: number[][];
}
interface Damaged {
  image: string;
  name?: string;
  flags?: number;
  links?: unknown;
  /** `prologue_len` in bytes. */
  funcs: { image: string; offsets: number[]; prologue_len: number }[];
  steps: (Load & { images?: { image: string }[] })[];
  image_sha256: string;
}

function records(file: string): Damaged[] {
  const bytes = readFileSync(path.join(GOLDEN, file));
  return gunzipSync(bytes)
    .toString('utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Damaged);
}
const harness = records('harness.jsonl.gz');
const cases = records('6.12.107-nozb/cases.jsonl.gz');

function written(name: string, value: unknown): string {
  const file = path.join(directory, name);
  writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value));
  return file;
}

/** The image with the first instruction that reads `from` in hex changed into `to`. */
function replaced(image: string, from: string, to: string): string {
  const at = image.indexOf(from);
  if (at < 0 || at % 4 !== 0) throw new Error(`no ${from} in ${image}`);
  return image.slice(0, at) + to + image.slice(at + from.length);
}

/** addiw a0, a5, 0 and addiw a0, a4, 0 */
const RESULT = '1b850700';
const OTHER = '1b050700';

const loaded = (record: Damaged): Load | undefined =>
  record.steps.find((step) => step.funcs !== undefined && step.funcs.length > 0);

describe('a damaged record of each kind fails with the first instruction that differs, on both sides', () => {
  const kinds: readonly (readonly [kind: string, file: () => string, says: readonly RegExp[]])[] = [
    [
      'harness program',
      () => {
        const record = structuredClone(harness.find((r) => r.funcs?.[0]?.image?.includes('0005'))!);
        const func = record.funcs[0]!;
        // The first instruction behind the prologue of the first function.
        const at = 2 * func.prologue_len;
        func.image = func.image.slice(0, at) + '01000000' + func.image.slice(at + 8);
        return written('program.jsonl', record);
      },
      [/ours: +0x/, /recorded: +0x.* nop$/m, /in BPF instruction 0: .*, made by [a-z0-9-]+\/[a-z0-9-]+/],
    ],
    [
      'harness trampoline',
      () => {
        const record = structuredClone(harness.find((r) => r.links !== undefined && r.image)!);
        record.image = record.image.slice(0, -4) + '0281';
        return written('trampoline.jsonl', record);
      },
      [/ours: +0x[0-9a-f]+ +\w+ +(ret|jr|jalr)/, /recorded: +0x/, /in code made by trampoline\/return/],
    ],
    [
      'text poke',
      () => {
        const record = structuredClone(harness.find((r) => 'is_call' in r && r.is_call && r.image)!);
        record.image = record.image.slice(0, 8) + '13000000';
        return written('poke.jsonl', record);
      },
      [/first difference at byte \d+ of 8/, /ours: .* jalr t0, -?\d+\(t1\)/, /recorded: .* nop$/m],
    ],
    [
      'kernel case: program',
      () => {
        const record = structuredClone(cases.find((r) => loaded(r)?.funcs?.[0]?.image.includes(RESULT))!);
        const func = loaded(record)!.funcs![0]!;
        func.image = replaced(func.image, RESULT, OTHER);
        return written('case.jsonl', record);
      },
      [
        /ours: .* sext\.w a0, a5/,
        /recorded: .* sext\.w a0, a4/,
        /in the epilogue, made by epilogue\/return-value/,
      ],
    ],
    [
      'kernel case: trampoline',
      () => {
        const record = structuredClone(cases.find((r) => r.steps.some((step) => step.images?.length))!);
        const step = record.steps.find(({ images }) => images?.length)!;
        step.images![0]!.image = '411106e4' + '1300' + step.images![0]!.image.slice(12);
        return written('case-trampoline.jsonl', record);
      },
      [/trampoline /, /ours: +0x/, /recorded: +0x/, /in code made by trampoline\/frame/],
    ],
    [
      'object',
      () => {
        const load = structuredClone(cases.map(loaded).find((l) => l?.funcs?.[0]?.image.includes(RESULT))!);
        load.funcs![0]!.image = replaced(load.funcs![0]!.image, RESULT, OTHER);
        return written('objects/thing.v3.json', { name: 'thing', progs: [load] });
      },
      [
        /ours: .* sext\.w a0, a5/,
        /recorded: .* sext\.w a0, a4/,
        /in the epilogue, made by epilogue\/return-value/,
      ],
    ],
  ];

  it.each(kinds)('%s', async (_kind, file, says) => {
    const { code, out, err } = await cli(['vectors', file()]);
    expect({ code, err }).toEqual({ code: 1, err: '' });
    expect(out).toMatch(/^FAILED /);
    for (const line of says) expect(out).toMatch(line);
    expect(out.trimEnd().split('\n').at(-1)).toBe('0 passed, 1 failed');
  });

  it.each([
    ['more', (funcs: unknown[]) => [...funcs, funcs[0]], 'ours 1, recorded 2'],
    ['fewer', () => [], 'ours 1, recorded 0'],
  ] as const)(
    'a harness program with %s functions than its instructions make',
    async (what, change, says) => {
      const record = structuredClone(harness.find((r) => r.funcs?.length === 1)!);
      const funcs = change(record.funcs);
      const { code, out } = await cli(['vectors', written(`${what}.jsonl`, { ...record, funcs })]);
      expect(code).toBe(1);
      expect(out).toContain(says);
    },
  );

  it('with its BPF instruction where the code belongs to one', async () => {
    const record = structuredClone(cases.find((r) => loaded(r)?.funcs?.[0]?.image.includes('8547'))!);
    const func = loaded(record)!.funcs![0]!;
    func.image = replaced(func.image, '8547', '8947'); // li a5, 1 becomes li a5, 2
    const { out } = await cli(['vectors', written('slot.jsonl', record)]);
    expect(out).toMatch(
      /ours: .* li a5, 1\n +recorded: .* li a5, 2\n +in BPF instruction \d+: [rw]0 = 1, made by alu\/constant/,
    );
  });

  it('a trampoline whose attached program has no functions', async () => {
    const record = structuredClone(cases.find((r) => r.steps.some((step) => step.images?.length))!);
    for (const step of record.steps) if (step.funcs) step.funcs = [];
    const { code, out } = await cli(['vectors', written('attached.jsonl', record)]);
    expect(code).toBe(1);
    expect(out).toMatch(/is attached, but the record has no function of it/);
  });

  it('offsets, exception tables and line info are compared, too', async () => {
    const record = structuredClone(harness.find((r) => r.funcs?.[0]?.offsets.length)!);
    record.funcs[0]!.offsets[0]! += 2;
    expect((await cli(['vectors', written('offsets.jsonl', record)])).out).toMatch(
      /offsets\[0\]: ours \d+, recorded \d+/,
    );
    const lines = structuredClone(cases.find((r) => loaded(r)?.linfo?.length)!);
    loaded(lines)!.linfo![0]![3]! += 2;
    expect((await cli(['vectors', written('linfo.jsonl', lines)])).out).toMatch(
      /linfo byte offset\[0\]: ours \d+, recorded \d+/,
    );
  });
});

describe('a file that holds no records: one line on standard error, exit code 2', () => {
  const first = JSON.stringify(harness[0]);
  const files: readonly (readonly [what: string, name: string, content: string, line: RegExp])[] = [
    ['text', 'a.jsonl', 'hello\n', /a\.jsonl:1 is not JSON/],
    ['half a record', 'b.jsonl', `${first}\n${first.slice(0, 500)}`, /b\.jsonl:2 is not JSON/],
    ['a list', 'c.jsonl', '[1]', /c\.jsonl:1 is not a JSON object/],
    [
      'another kind of record',
      'd.jsonl',
      '{"one": 1, "two": 2}',
      /no record of a known kind; its keys are one, two/,
    ],
    ['broken gzip', 'e.jsonl.gz', '\x1f\x8b\x08\x00', /e\.jsonl\.gz cannot be read/],
    ['an object that is no object', 'objects/f.json', '3', /f\.json is not a JSON object/],
  ];
  it.each(files)('%s', async (_what, name, content, line) => {
    const file = path.join(directory, name);
    writeFileSync(file, content, 'latin1');
    const { code, out, err } = await cli(['vectors', file]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err.trimEnd().split('\n')).toHaveLength(1);
    expect(err).toMatch(line);
  });

  it('a kernel record whose facts.json is garbled or gone', async () => {
    const lonely = mkdtempSync(path.join(tmpdir(), 'hartbeat-lonely-'));
    const file = path.join(lonely, 'cases.jsonl');
    writeFileSync(file, JSON.stringify(cases[0]));
    const gone = await cli(['vectors', file]);
    writeFileSync(path.join(lonely, 'facts.json'), '{"label": ');
    const garbled = await cli(['vectors', file]);
    rmSync(lonely, { recursive: true });
    expect([gone.code, garbled.code]).toEqual([2, 2]);
    expect(gone.err).toMatch(/^hartbeat: There is no facts\.json beside .*\n$/);
    expect(garbled.err).toMatch(/^hartbeat: .*facts\.json is not JSON.*\n$/);
  });
});

it('a recipe of more instructions than any program has fails at once', async () => {
  const record = harness.find((r) => r.funcs?.length === 1)!;
  const file = written('recipe.jsonl', { ...record, insns_rle: [['b700000000000000', 1e12]] });
  const { code, out } = await cli(['vectors', file]);
  expect(code).toBe(1);
  expect(out).toMatch(
    /repeats b700000000000000 1000000000000 times; more than 4000000 instructions are not compiled here/,
  );
});

describe('in modes that play records', () => {
  it.each([
    ['counters', [{}], /\.counters is not a list of addresses/],
    ['entry', 9, /refers to program 9, but holds \d/],
    [
      'prog_arrays',
      [{ addr: '0xff60000081a3c800', max_entries: 1, slots: [9] }],
      /refers to program 9, but holds \d/,
    ],
    [
      'prog_arrays',
      [{ addr: '0xff60000081a3c800', max_entries: 1e9, slots: [0] }],
      /prog array of 1000000000 entries; at most 65536/,
    ],
    [
      'prog_arrays',
      [{ addr: '0xff60000081a3c800', max_entries: 1.5, slots: [0] }],
      /max_entries is not a whole number/,
    ],
  ] as const)('a tail call scenario whose %s is garbled fails alone', async (key, value, line) => {
    const bytes = gunzipSync(readFileSync('test/golden/vectors/tailcall-semantics.jsonl.gz'));
    const record = JSON.parse(bytes.toString('utf8').split('\n')[0]!) as object;
    const file = written(`scenario-${key}.jsonl`, { ...record, [key]: value });
    const { code, out } = await cli(['vectors', '--runs', file]);
    expect(code).toBe(1);
    expect(out).toMatch(line);
    expect(out).toMatch(/^0 passed, 1 failed$/m);
  });
});
