import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { RULES } from '../engine/jit/rules';
import { recordedObject } from '../engine/loader/testing/recorded';
import { cli } from './testing/run';
import { trampolineCases } from './testing/trampoline-cases';

interface Json {
  readonly trampolines: readonly {
    readonly function: string;
    readonly target: string;
    readonly prototype?: string;
    readonly args: readonly { readonly size: number }[];
    readonly result: { readonly size: number };
    readonly flags: readonly string[];
    readonly image: string;
    readonly size: number;
    readonly programs: readonly { readonly name: string; readonly kind: string; readonly enter: string }[];
    readonly frame: {
      readonly size: number;
      readonly slots: readonly { readonly name: string; readonly register?: string; readonly why: string }[];
    };
    readonly native: readonly { readonly offset: number; readonly bytes: string; readonly rule: string }[];
    readonly pieces: readonly { readonly from: number; readonly to: number }[];
    readonly calls: readonly { readonly kind: string }[];
    readonly unwind: readonly { readonly saved: Readonly<Record<string, number>> }[];
  }[];
  readonly rules: Readonly<Record<string, string>>;
}

const TRACED = 'examples/traced_function.o';
const FENTRY = { files: { 'fentry.o': recordedObject('fentry.v4.o') } };
const trampoline = async (argv: string, world = {}) => cli(['trampoline', ...argv.split(' ')], world);

describe('trampolines of running kernels', () => {
  const kernels = [
    ['6.12.107-nozb', '6.12', 'rv64imac'],
    ['7.2.13-zba_zbb', '7.2', 'rv64imac_zba_zbb'],
  ] as const;
  const cases = kernels.flatMap(([dir, kernel, isa]) =>
    trampolineCases(`test/golden/jit/${dir}/cases.jsonl.gz`).map(({ name, argv, image }) => ({
      name: `${dir} ${name}`,
      argv: ['trampoline', ...argv, '--kernel', kernel, '--tcc', 'native', '--isa', isa, '--json'],
      image,
    })),
  );
  test('are recorded of every kind', () => {
    expect(cases.length).toBe(28);
    const words = cases.flatMap(({ argv }) => argv).join(' ');
    for (const kind of ['fentry', 'fexit', 'fmod_ret', 'fsession', 'lsm', 'sleepable', 'cookie=']) {
      expect(words).toContain(kind);
    }
  });
  test.each(cases)('$name: every byte, from what the command line says', async ({ argv, image }) => {
    const { code, err, ...result } = await cli(argv);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(result.json<Json>().trampolines.map((made) => made.image)).toEqual([image]);
  });
});

describe('text', () => {
  test('frame and code of a trampoline on a BPF function, with the rules', async () => {
    const { code, out, err } = await trampoline(`${TRACED} --why`);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    await expect(out).toMatchFileSnapshot('trampoline-why.golden.txt');
  });

  test('struct_ops, entered directly, with its prototype from the struct', async () => {
    const files = { 'ca.o': recordedObject('struct_ops_ca.v3.o') };
    const { code, out } = await trampoline('ca.o ca_ssthresh --kernel 7.3', { files });
    expect(code).toBe(0);
    await expect(out).toMatchFileSnapshot('trampoline-struct-ops.golden.txt');
  });

  test('every instruction has its rule', async () => {
    const { out } = await trampoline('--attach fmod_ret --attach fexit --args ptr,struct:16 --why');
    const lines = out.split('\n').filter((line) => /^ +[0-9a-f]+ {2}([0-9a-f]{4}){1,2} /.test(line));
    expect(lines.length).toBeGreaterThan(60);
    expect(lines.filter((line) => !/ (trampoline|tcc)\/[a-z0-9-]+/.test(line))).toEqual([]);
    expect(out).toContain(RULES['trampoline/skip-original']);
  });
});

describe('--json', () => {
  test('has all records, and they agree with each other', async () => {
    const argv = '--attach fsession,session-cookie --attach fexit,ip --args u32,struct:16 --kernel 7.2';
    const { trampolines, rules } = (await trampoline(`${argv} --json`)).json<Json>();
    const [made] = trampolines;
    expect(made!.native.map(({ bytes }) => bytes).join('')).toBe(made!.image);
    expect(made!.size).toBe(made!.image.length / 2);
    expect(made!.pieces[0]!.from).toBe(0);
    expect(made!.pieces.at(-1)!.to).toBe(made!.size);
    for (const { rule } of made!.native) expect(rules[rule]).toBe(RULES[rule as keyof typeof RULES]);
    expect(made!.calls.map(({ kind }) => kind)).toEqual([
      ...['tramp-enter', 'prog-enter', 'program', 'prog-exit', 'original'],
      ...['prog-enter', 'program', 'prog-exit', 'prog-enter', 'program', 'prog-exit', 'tramp-exit'],
    ]);
    const { slots } = made!.frame;
    expect(slots.map(({ name, register }) => `${name} ${register ?? ''}`.trim())).toEqual([
      ...['saved ra ra', 'saved fp s0', 'return into the traced function t0', 'fp of the traced function s0'],
      ...['R0 a5', 'result a0', 'argument 2 a2', 'argument 1 a1', 'argument 0 a0', 'argument count'],
      ...['function ip', 'session cookie 0', 'saved_run_ctx', 'bpf_cookie', 'saved s1 s1', 'padding'],
    ]);
    expect(slots.find(({ name }) => name === 'argument 2')!.why).toBe(
      'ctx[2] of the programs: bytes 8 to 15 of the second argument.',
    );
    expect(made!.unwind.at(-1)!.saved).toEqual({});
  });

  test('one trampoline for each traced function of an object; the arguments from BTF', async () => {
    const files = { 'ca.o': recordedObject('struct_ops_ca.v3.o') };
    const { trampolines } = (await trampoline('ca.o --json', { files })).json<Json>();
    expect(trampolines.map((made) => [made.function, made.prototype, made.args.length])).toEqual([
      ['tcp_congestion_ops.init', 'void init(struct sock *)', 1],
      ['tcp_congestion_ops.ssthresh', 'u32 ssthresh(struct sock *)', 1],
      ['tcp_congestion_ops.cong_avoid', 'void cong_avoid(struct sock *, u32, u32)', 3],
      ['tcp_congestion_ops.undo_cwnd', 'u32 undo_cwnd(struct sock *)', 1],
    ]);
    expect(trampolines.map(({ flags }) => flags.join(' '))).toEqual([
      'INDIRECT',
      'RET_FENTRY_RET INDIRECT',
      'INDIRECT',
      'RET_FENTRY_RET INDIRECT',
    ]);
  });

  test('--btf: the traced BPF object tells arguments, and whether tail calls reach the function', async () => {
    const argv = `fentry.o on_exit --function admit --btf ${TRACED} --json`;
    const { trampolines } = (await trampoline(argv, FENTRY)).json<Json>();
    expect(trampolines[0]).toMatchObject({
      function: 'admit',
      target: 'bpf-tail-calls',
      prototype: 'int admit(struct xdp_md *ctx, u32 queue, u64 length)',
      flags: ['CALL_ORIG', 'SKIP_FRAME', 'TAIL_CALL_CTX'],
    });
    const plain = await trampoline(`--attach fexit --function admit --btf ${TRACED} --json`);
    expect(plain.json<Json>().trampolines[0]).toMatchObject({
      target: 'bpf-tail-calls',
      result: { size: 4 },
    });
  });

  test.each([
    ['transparent', 'bpf', true],
    ['transparent', 'kernel', false],
    ['stack-v6', 'bpf', false],
    ['stack-v6', 'bpf-tail-calls', true],
    ['mainline', 'bpf-tail-calls', false],
  ])('%s keeps a6 for target %s: %s', async (tcc, target, keeps) => {
    const argv = `--attach fentry --target ${target} --tcc ${tcc} --json`;
    const { frame } = (await trampoline(argv)).json<Json>().trampolines[0]!;
    expect(frame.slots.some(({ name }) => name === 'tcc')).toBe(keeps);
  });

  test('--raw writes the image', async () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'hartbeat-'));
    try {
      const file = path.join(dir, 'image');
      const { code, ...result } = await trampoline(`--attach fexit --raw ${file} --json`);
      expect(code).toBe(0);
      expect(readFileSync(file).toString('hex')).toBe(result.json<Json>().trampolines[0]!.image);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  test('--fault: the JIT of the past', async () => {
    const sizes = await Promise.all(
      ['', ' --fault original-enters-trampoline'].map(async (fault) => {
        const { out } = await trampoline(`--attach fexit --why${fault}`);
        return /<(traced[^>]*)>/.exec(out)?.[1];
      }),
    );
    expect(sizes).toEqual(['traced+0x8', 'traced']);
  });
});

describe('refused with one line', () => {
  test.each([
    ['', /trampoline needs OBJ or --attach KIND/],
    ['--attach tp_btf', /--attach takes one of fentry, fexit, fmod_ret, fsession, lsm, struct_ops, not 'tp_btf'/],
    ['--attach fentry*0', /write a number from 1 to 99/],
    ['--attach fentry,quietly', /--attach knows the keys sleepable, .* not 'quietly'/],
    ['--attach fentry,cookie=red', /--attach cookie= takes a number of up to 64 bits such as 0x1234, not 'red'/],
    ['--attach fentry,cookie=0x10000000000000000', /up to 64 bits/],
    ['--attach fentry --args u7', /--args: 'u7' is no type; write u8 to u128/],
    ['--attach fentry --args struct:17', /--args: A struct of 17 bytes is not passed by value/],
    ['--attach fentry --ret struct:8', /--ret: A traced function returns void or up to 64 bits/],
    ['--attach fentry --target user', /--target takes kernel, bpf, bpf-tail-calls, not 'user'/],
    ['--attach fentry --address im', /--address im= takes a number/],
    ['--attach fentry --address =1', /--address takes NAME=0x…/],
    ['--attach fentry --address prog2=0x10', /No address of this trampoline is called 'prog2'; choose from image,/],
    ['--attach fentry --address image=0x1001', /address of image is odd/],
    ['--attach fentry --address image=0x1000', /bytes away; auipc and jalr reach ±2 GiB/],
    ['--attach fentry --args u8,u8,u8,u8,u8,u8,u8,u8,u8,u8,u8,u8,u8', /at most 12 arguments/],
    ['--attach fentry --kernel 6.6 --args struct:16,u8,u8,u8,u8,u8,u8,u8', /at most 8 slots/],
    ['--attach fentry --kernel 6.6 --args u128', /more than 8 bytes and is no struct/],
    ['--attach fentry*39', /39 programs cannot be attached to traced: a trampoline runs at most 38/],
    ['--attach fsession*20 --kernel 7.2', /40 programs .* a session counts twice/],
    ['--attach fsession', /Kernel 6\.12 has no fsession programs; choose kernel 7\.2 or 7\.3/],
    ['--attach fexit,session-cookie --kernel 7.2', /Only fsession programs have a session cookie/],
    ['--attach fmod_ret --target bpf', /traced is a BPF program, whose result fmod_ret programs cannot change/],
    ['--attach lsm,ip', /bpf_get_func_ip is for fentry/],
    ['--attach struct_ops,cookie=1', /struct_ops programs have no attach cookie/],
    ['--attach struct_ops --attach fentry', /A struct_ops trampoline runs one program alone/],
    ['--attach struct_ops --ret u128', /--ret: A traced function returns void or up to 64 bits/],
    ['--attach struct_ops --cfi', /begins with the 32-bit type word of its stub.*address type_word/],
    ['--attach fentry --kernel 7.3 --tcc stack-v1', /not defined for kernel 7\.3/],
    ['fentry.o', /BTF of fentry\.o does not describe bpf_fentry_test1.* Give --btf FILE .* or --args TYPE,…/],
    ['fentry.o --args u64', /--args is about one function, and the programs trace bpf_fentry_test1, bpf_/],
    ['fentry.o nobody', /fentry\.o holds no program 'nobody'/],
    ['fentry.o on_exit --btf examples/hierarchy.o', /Neither the given BTF nor that of fentry\.o describes/],
    ['fentry.o on_exit --btf text.txt', /text\.txt begins with 0x6574/],
    ['fentry.o on_exit --btf nowhere', /nowhere cannot be read: there is no such file/],
    ['--attach fentry --btf examples/hierarchy.o', /examples\/hierarchy\.o does not describe traced; name .* --function/],
    ['examples/hierarchy.o', /hierarchy\.o holds no program that a trampoline runs/],
    ['examples/hierarchy.o entry', /Program entry \(section tc\) is a sched_cls program, which no trampoline runs/],
  ] as const)('%s', async (argv, line) => {
    const files = { ...FENTRY.files, 'text.txt': 'text' };
    const words = argv.split(' ').filter((word) => word !== '');
    const { code, out, err } = await cli(['trampoline', ...words], { files });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err.trimEnd().split('\n')).toHaveLength(1);
    expect(err).toMatch(line);
  }); // prettier-ignore
});
