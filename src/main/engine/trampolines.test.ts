import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import type { ObjectView, TrampolineSpec } from '../../engine/debugger/views';
import { ATTACH_KINDS } from '../../engine/kernel/trampolines/kinds';
import { TARGET_KINDS } from '../../engine/kernel/trampolines/prepare';
import type { Params, Replies } from '../../shared/contract';
import { TRAMPOLINE_KINDS, TRAMPOLINE_TARGETS } from '../../shared/trampoline-words';
import { createEngineService, type EngineService, type SessionMethod } from './service';

const profile = { kernel: '7.2', tcc: 'transparent', isa: 'rv64imac' };
const SPEC: TrampolineSpec = {
  function: 'f',
  target: 'kernel',
  args: 's32, ptr',
  result: 's32',
  programs: [{ kind: 'fentry' }],
};

test('the contract has the engine’s words', () => {
  expect(TRAMPOLINE_KINDS).toEqual(ATTACH_KINDS);
  expect(TRAMPOLINE_TARGETS).toEqual(TARGET_KINDS);
});

describe('trampolines', () => {
  let service: EngineService;
  let object: ObjectView;
  const call = <M extends SessionMethod>(method: M, params: Params<M>) =>
    service.call(method, params) as Promise<Replies[M]>;

  beforeEach(() => {
    service = createEngineService({ emit: () => undefined });
    const file = new URL('../../../examples/traced_function.o', import.meta.url);
    object = service.openBytes('traced_function.o', new Uint8Array(readFileSync(file)));
  });

  test('need no object', async () => {
    expect(await call('session.trampolines', { profile })).toEqual([]);
    const view = await call('session.trampoline', { profile, spec: SPEC });
    expect(view).toMatchObject({ spec: SPEC, profile, flags: ['RESTORE_REGS'] });
    expect(view.native.at(-1)).toMatchObject({ text: 'jr t0', rule: 'trampoline/return' });
  });

  test('are suggested by an open object, and by the session’s', async () => {
    expect(object.programs.map(({ name, trampoline }) => [name, trampoline === true])).toEqual([
      ['refuse', false],
      ['limit', false],
      ['on_entry', true],
      ['on_exit', true],
    ]);
    const [admit] = await call('session.trampolines', { object: object.id, profile });
    expect(admit!.spec).toMatchObject({ function: 'admit', target: 'bpf-tail-calls' });
    const { flags } = await call('session.trampoline', { profile, spec: admit!.spec });
    expect(flags).toEqual(['CALL_ORIG', 'SKIP_FRAME', 'IP_ARG', 'TAIL_CALL_CTX']);
    const { name: program, inputs } = object.programs[1]!;
    await call('session.start', { object: object.id, program, profile, inputs });
    expect(await call('session.trampolines', { profile })).toEqual([admit]);
  });

  test.each([
    [{ profile, spec: { ...SPEC, args: 'int' } }, 'kernel/trampoline', "'int' is no type"],
    [{ profile, spec: { ...SPEC, programs: [] } }, 'kernel/trampoline', 'Nothing is attached'],
    [{ profile: { ...profile, kernel: '6.10' }, spec: SPEC }, 'usage/profile', "Unknown kernel '6.10'"],
    [{ profile, spec: { ...SPEC, target: 'user' } }, 'usage/params', 'session.trampoline: '],
    [{ profile, spec: { ...SPEC, programs: [{ kind: 'tp_btf' }] } }, 'usage/params', 'session.trampoline: '],
    [{ profile, spec: { ...SPEC, args: 'u8,'.repeat(200) } }, 'usage/params', 'session.trampoline: '],
    [
      { profile, spec: { ...SPEC, programs: Array.from({ length: 65 }, () => ({ kind: 'fentry' })) } },
      'usage/params',
      'session.trampoline: ',
    ],
  ])('are refused with one sentence: %j', async (params, code, part) => {
    const refused = service.call('session.trampoline', params);
    await expect(refused).rejects.toMatchObject({ code });
    await expect(refused).rejects.toThrow(part);
  });

  test('of an object that is not open are refused', async () => {
    await expect(call('session.trampolines', { object: 'o9', profile })).rejects.toThrow('not open any more');
  });
});
