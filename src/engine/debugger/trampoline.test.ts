import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../base/errors';
import { loadObject } from '../loader/load';
import { recordedObject } from '../loader/testing/recorded';
import { parseProfile } from '../jit/profile';
import { readTraced } from './traced';
import { makeTrampoline } from './trampoline';
import { offeredTrampolines, suggestedTrampolines } from './trampoline-suggestions';
import type { TrampolineSpec } from './views';

const SPEC: TrampolineSpec = {
  function: 'f',
  target: 'kernel',
  args: 'u32, struct:16, u8, u8, u8, u8, u8, u8, u8',
  result: 's32',
  programs: [{ kind: 'fentry' }, { kind: 'fexit', cookie: '0x10', name: 'last' }],
};
const profile = parseProfile();
const TRACED = new Uint8Array(readFileSync(new URL('../../../examples/traced_function.o', import.meta.url)));
const traced = loadObject(TRACED, 'traced_function.o');
const fentry = loadObject(recordedObject('fentry.v4.o'), 'fentry.v4.o');

describe('the view of a trampoline', () => {
  const { view, trampoline } = makeTrampoline(profile, SPEC);
  const text = view.native.map(({ text: line, slot, access }) =>
    slot === undefined ? line : `${line} ; ${access} ${view.slots[slot]!.name}`,
  );

  it('tells of every instruction which slot of the frame it works on, also while sp moves', () => {
    expect(text.slice(0, 10)).toEqual([
      'addi sp, sp, -16',
      'sd ra, 8(sp) ; stores saved ra',
      'sd s0, 0(sp) ; stores saved fp',
      'addi s0, sp, 16',
      'addi sp, sp, -160',
      'sd t0, 152(sp) ; stores return into the traced function',
      'sd s0, 144(sp) ; stores fp of the traced function',
      'addi s0, sp, 160',
      'sd s1, -144(s0) ; stores saved s1',
      'li t1, 10',
    ]);
    expect(text.slice(-8)).toEqual([
      'ld s1, -144(s0) ; loads saved s1',
      'ld t0, 152(sp) ; loads return into the traced function',
      'ld s0, 144(sp) ; loads fp of the traced function',
      'addi sp, sp, 160',
      'ld ra, 8(sp) ; loads saved ra',
      'ld s0, 0(sp) ; loads saved fp',
      'addi sp, sp, 16',
      'ret',
    ]);
    // What the caller passed on the stack is above the frame.
    expect(text).toContain('ld t1, 16(s0)');
    expect(text.filter((line) => /; (loads|stores) stack argument 8$/.test(line))).toHaveLength(1);
  });

  it('stores every slot that is no padding before it loads it', () => {
    const stored = new Set<number>();
    for (const { slot, access } of view.native) {
      if (slot === undefined) continue;
      if (access === 'stores') stored.add(slot);
      else if (access === 'loads') expect(stored.has(slot), view.slots[slot]!.name).toBe(true);
    }
    const never = view.slots.filter((_, i) => !stored.has(i)).map(({ name }) => name);
    // __bpf_prog_enter writes it.
    expect(never).toEqual(['saved_run_ctx']);
  });

  it('names what is called, and the rules', () => {
    const called = view.native.flatMap(({ text: line }) => /<(.*)>/.exec(line)?.[1] ?? []);
    expect(called).toEqual([
      '__bpf_tramp_enter',
      ...['__bpf_prog_enter_recur', 'fentry1', '__bpf_prog_exit_recur'],
      'f+0x8',
      ...['__bpf_prog_enter_recur', 'last', '__bpf_prog_exit_recur'],
      '__bpf_tramp_exit',
    ]);
    expect(new Set(view.native.map(({ rule }) => rule))).toEqual(new Set(Object.keys(view.rules)));
    expect(view.native.map(({ bytes }) => bytes.length / 2).reduce((a, b) => a + b)).toBe(view.size);
    expect(view.size).toBe(trampoline.image.length);
  });

  it.each([
    [{}, /t0 leads back into it, ra to its caller\. Calls f itself and returns to its caller\.$/],
    [{ programs: [{ kind: 'fentry' }] }, /Returns into it\.$/],
    [{ programs: [{ kind: 'fmod_ret' }] }, /Calls f itself, unless a program that may change its result/],
    [{ programs: [{ kind: 'struct_ops' }] }, /^The kernel calls it in place of f;/],
  ] as const)('says how it is entered and left: %o', (change, sentence) => {
    expect(makeTrampoline(profile, { ...SPEC, ...change }).view.entry).toMatch(sentence);
  });

  it('refuses a cookie that is none', () => {
    const spec = { ...SPEC, programs: [{ kind: 'fexit', cookie: 'red' }] } as const;
    expect(() => makeTrampoline(profile, spec)).toThrow(EngineError);
    expect(() => makeTrampoline(profile, spec)).toThrow("'red' is no cookie");
  });
});

describe('what the programs of an object want', () => {
  it('one trampoline for each function, with what BTF and code tell', () => {
    expect(suggestedTrampolines({ object: traced, profile })).toEqual([
      {
        spec: {
          function: 'admit',
          target: 'bpf-tail-calls',
          args: 'u64, u32, u64',
          result: 's32',
          programs: [
            { kind: 'fentry', name: 'on_entry' },
            { kind: 'fexit', name: 'on_exit', ip: true },
          ],
        },
        prototype: 'int admit(struct xdp_md *ctx, u32 queue, u64 length)',
      },
    ]);
  });

  it('a kernel that refuses the traced program knows of no tail calls in it', () => {
    const mainline = parseProfile({ tcc: 'mainline' });
    const [suggestion] = suggestedTrampolines({ object: traced, profile: mainline });
    expect(suggestion!.spec.target).toBe('bpf');
  });

  it('a guess and a problem where nothing describes the function', () => {
    const [first] = suggestedTrampolines({ object: fentry, profile });
    expect(first!.spec).toMatchObject({ function: 'bpf_fentry_test1', target: 'kernel', args: 'u64' });
    expect(first!.problem).toMatch(/^The BTF of fentry\.v4\.o does not describe bpf_fentry_test1/);
  });

  it('the function of another object', () => {
    const request = { object: fentry, profile, programs: ['on_exit'], function: 'admit' };
    const [suggestion] = suggestedTrampolines({ ...request, traced: readTraced(TRACED, 'x.o') });
    expect(suggestion).toMatchObject({
      spec: { function: 'admit', target: 'bpf-tail-calls', programs: [{ kind: 'fexit', name: 'on_exit' }] },
    });
  });

  it.each([
    ['a program of another type', 'limit', /is a xdp program, which no trampoline runs/],
    ['no program at all', 'nobody', undefined],
  ])('%s', (_, name, refusal) => {
    const ask = () => suggestedTrampolines({ object: traced, profile, programs: [name] });
    if (refusal) expect(ask).toThrow(refusal);
    else expect(ask()).toEqual([]);
  });
});

describe('what is offered to choose from', () => {
  it('is all that the programs want', () => {
    expect(offeredTrampolines(traced, profile)).toEqual(suggestedTrampolines({ object: traced, profile }));
    const offered = offeredTrampolines(fentry, profile).map(({ spec }) => spec.function);
    expect(offered).toEqual(['bpf_fentry_test1', 'bpf_fentry_test3', 'bpf_modify_return_test']);
  });

  it('has a function that cannot be traced with the reason, and leaves out programs without one', () => {
    const [entry, exit, ...others] = traced.programs.filter(({ type }) => type.name === 'tracing');
    expect([entry!.name, exit!.name, others]).toEqual(['on_entry', 'on_exit', []]);
    const types = traced.btf!.types.map((type) => (type.name === 'admit' ? { ...type, type: 0 } : type));
    const { attachTo: _, ...nowhere } = exit!;
    const object = { ...traced, programs: [entry!, nowhere], btf: { types } };
    const offered = offeredTrampolines(object, profile);
    expect(offered.map(({ spec }) => spec.programs.map(({ name }) => name))).toEqual([['on_entry']]);
    expect(offered[0]!.problem).toBe('Function admit has no prototype in the BTF.');
  });
});

describe('BTF of what is traced', () => {
  it('comes from an object, or as the kernel gives it', () => {
    const { btf, object } = readTraced(TRACED, 'traced.o');
    expect(object?.programs.length).toBe(4);
    expect(btf).toBe(object?.btf);
    expect(readTraced(rawBtf(TRACED), 'vmlinux').btf.types.length).toBe(btf.types.length);
  });

  it('is refused where there is none', () => {
    const bare = recordedObject('plain_nodebug.o');
    expect(() => readTraced(bare, 'plain.o')).toThrow('plain.o has no BTF; give /sys/kernel/btf/vmlinux');
    expect(() => readTraced(new Uint8Array(3), 'short')).toThrow(EngineError);
  });
});

/** The contents of section .BTF, which begin with its magic number. */
function rawBtf(file: Uint8Array): Uint8Array {
  const at = Buffer.from(file).indexOf(Buffer.from([0x9f, 0xeb, 1, 0, 24, 0, 0, 0]));
  expect(at).toBeGreaterThan(0);
  const view = new DataView(file.buffer, file.byteOffset + at);
  return file.subarray(at, at + 24 + view.getUint32(16, true) + view.getUint32(20, true));
}
