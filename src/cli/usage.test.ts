import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { recordedObject } from '../engine/loader/testing/recorded';
import { COMMANDS } from './main';
import { cli } from './testing/run';

const HIERARCHY = 'examples/hierarchy.o';
const object = (): Uint8Array => new Uint8Array(readFileSync(HIERARCHY));

/** The object with one byte changed. */
function changed(offset: number, value: number): Uint8Array {
  const bytes = object();
  bytes[offset] = value;
  return bytes;
}

describe('wrong use: one clear line on standard error, exit code 2, nothing on standard output', () => {
  const cases: readonly (readonly [argv: string, line: RegExp])[] = [
    ['frobnicate', /there is no command 'frobnicate'; the commands are info, jit, run/],
    ['info', /info needs OBJ; usage: hartbeat info OBJ/],
    [`info ${HIERARCHY} more`, /does not take 'more'/],
    [`info ${HIERARCHY} --frob`, /unknown option '--frob'/],
    [`run ${HIERARCHY} entry --kernel`, /--kernel needs a value/],
    [`run ${HIERARCHY} entry --max-insns -1`, /--max-insns needs a value, and '-1' looks like an option/],
    [`run ${HIERARCHY} entry --max-insns=-1`, /at least 1, not '-1'/],
    [`run ${HIERARCHY} entry --tcc mainline`, /^hartbeat: Instruction 23 .*tail_calls are not allowed/],
    [
      `compare ${HIERARCHY} entry --with tcc=mainline`,
      /6\.12 mainline rv64imac: .*tail_calls are not allowed/,
    ],
    [`run ${HIERARCHY} entry --json=yes`, /--json takes no value/],
    [`run ${HIERARCHY}`, /run needs PROG/],
    [`run ${HIERARCHY} nobody`, /hierarchy\.o holds no program 'nobody'; it holds entry/],
    [`run ${HIERARCHY} entry --kernel 6.10`, /Unknown kernel '6\.10'; choose one of 6\.6, 6\.12, 7\.2, 7\.3/],
    [`run ${HIERARCHY} entry --tcc magic`, /Unknown TCC scheme 'magic'/],
    [`run ${HIERARCHY} entry --kernel 7.3 --tcc stack-v1`, /not defined for kernel 7\.3/],
    [`run ${HIERARCHY} entry --isa rv32`, /ISA 'rv32' is not understood/],
    [`run ${HIERARCHY} entry --isa rv64imac_zfoo`, /no use of extension 'zfoo'/],
    [`run ${HIERARCHY} entry --max-insns many`, /--max-insns takes a whole number of at least 1, not 'many'/],
    [`run ${HIERARCHY} entry --max-insns 0`, /at least 1, not '0'/],
    [`run ${HIERARCHY} entry --data hex:0`, /--data: .*even number/],
    [`run ${HIERARCHY} entry --data hex:0g`, /'g' at digit 1/],
    [`run ${HIERARCHY} entry --data nowhere.bin`, /nowhere\.bin cannot be read: there is no such file/],
    [`run ${HIERARCHY} entry --map nothing=x.json`, /holds no map 'nothing'; it holds jump_table/],
    [`run ${HIERARCHY} entry --map jump_table`, /--map takes NAME=FILE/],
    [`run ${HIERARCHY} entry --map jump_table=`, /--map takes NAME=FILE/],
    [`trace ${HIERARCHY} entry --by cycle --timing none`, /--by cycle needs a timing profile/],
    [`trace ${HIERARCHY} entry --by moonlight`, /--by takes native, bpf, line, event or cycle/],
    [`compare ${HIERARCHY} entry`, /at least one --with/],
    [`compare ${HIERARCHY} entry --with speed=fast`, /--with takes kernel=…, tcc=…, isa=…/],
    ['exec', /standard input, which is empty/],
    ['info examples', /examples cannot be read: it is a directory/],
    ['info nowhere.o', /nowhere\.o cannot be read: there is no such file/],
    ['vectors', /vectors needs FILE/],
    ['vectors nowhere.jsonl', /nowhere\.jsonl cannot be read: there is no such file/],
    ['vectors examples', /examples cannot be read: it is a directory/],
    ['help frobnicate', /there is no command 'frobnicate'/],
  ];
  test.each(cases)('%s', async (argv, line) => {
    const { code, out, err } = await cli(argv.split(' '));
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err.trimEnd().split('\n')).toHaveLength(1);
    expect(err).toMatch(line);
  });

  test('no command at all', async () => {
    const { code, out, err } = await cli([]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^hartbeat: name a command: info, jit, run.*; hartbeat help tells what they do\n$/);
  });

  const files: readonly (readonly [what: string, bytes: () => Uint8Array | string, line: RegExp])[] = [
    ['an empty file', () => '', /empty|0 bytes/],
    ['a text file', () => 'int main(void) { return 0; }\n', /ELF/],
    ['an x86 object', () => changed(18, 62), /x86|machine/i],
    ['a big-endian object', () => changed(5, 2), /big-endian/],
    ['a truncated object', () => object().subarray(0, 300), /truncated|outside/],
  ];
  test.each(files)('%s', async (_what, bytes, line) => {
    const { code, out, err } = await cli(['info', 'file.o'], { files: { 'file.o': bytes() } });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err.trimEnd().split('\n')).toHaveLength(1);
    expect(err).toMatch(line);
  });

  const mapFiles: readonly (readonly [what: string, map: string, text: string, line: RegExp])[] = [
    ['not json', 'jump_table', '{', /m\.json is not JSON/],
    ['no pairs', 'jump_table', '[1]', /m\.json is not a JSON list of pairs/],
    [
      'no program',
      'jump_table',
      '[[0, 1]]',
      /m\.json: the entries of a prog array are \[index, program name\]/,
    ],
    [
      'an unknown program',
      'jump_table',
      '[[0, "nobody"]]',
      /m\.json: hierarchy\.o holds no program 'nobody'/,
    ],
    ['an index out of range', 'jump_table', '[[5, "entry"]]', /m\.json: Map jump_table refuses .*05000000/],
    [
      'a short key',
      'hierarch.bss',
      '[["00", "00"]]',
      /m\.json: '00' has a length of 1; the keys of map hierarch\.bss have 4/,
    ],
    [
      'a short value',
      'hierarch.bss',
      '[["00000000", "00"]]',
      /m\.json: '00' has a length of 1; the values .* have 16/,
    ],
    ['no hex', 'hierarch.bss', '[["0000000g", "00"]]', /m\.json: 'g' at digit 7/],
  ];
  test.each(mapFiles)('a map file with %s', async (_what, map, text, line) => {
    const argv = ['run', HIERARCHY, 'entry', '--map', `${map}=m.json`];
    const { code, out, err } = await cli(argv, { files: { 'm.json': text } });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err.trimEnd().split('\n')).toHaveLength(1);
    expect(err).toMatch(line);
  });
});

test('a map without entries of its own cannot be filled', async () => {
  const files = { 'ringbuf.v3.o': recordedObject('ringbuf.v3.o'), 'm.json': '[]' };
  const { code, out, err } = await cli(['run', 'ringbuf.v3.o', 'rb_output', '--map', 'rb=m.json'], { files });
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toBe('hartbeat: map rb is a ringbuf, which has no entries to set\n');
});

describe('help', () => {
  test.each(COMMANDS.map((command) => [command.name]))('%s --help names every option', async (name) => {
    const { code, out, err } = await cli([name, '--help']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(new RegExp(`^Usage: hartbeat ${name} `));
    const command = COMMANDS.find((c) => c.name === name)!;
    for (const option of command.options) expect(out).toContain(`--${option.name}`);
    for (const argv of [
      [name, '-h'],
      ['help', name],
    ])
      expect((await cli(argv)).out).toBe(out);
  });

  test.each(['help', '--help', '-h'])('%s without a command: the list of commands', async (word) => {
    const { code, out } = await cli([word]);
    expect(code).toBe(0);
    for (const command of COMMANDS) expect(out).toContain(command.summary);
  });
});
