import { describe, expect, it } from 'vitest';
import { u64 } from '../base/u64';
import { CALLER_SAVED, helperPoison, REG } from './task';
import { makeWorld, u32le } from './testing/parts';
import { Traps } from './traps';
import type { KernelEvent } from './types';

describe('traps', () => {
  const setUp = () => {
    const world = makeWorld();
    const events: KernelEvent[] = [];
    const traps = new Traps(world, (name, id, pc, args, result) => {
      const event: KernelEvent = { kind: 'helper', step: 0n, pc, id, name, args, result };
      events.push(event);
      return event;
    });
    const { machine, symbols } = world.env;
    world.task.enter(0x1000n, 1n, 2n);
    return { world, events, traps, machine, symbols };
  };

  it('a helper clobbers every caller-saved register, a6 included, and returns to ra', () => {
    const { traps, machine, symbols } = setUp();
    machine.setRegister(REG.ra, 0xffffffff78000100n);
    machine.setRegister(REG.a6, 33n);
    machine.setRegister(REG.s1, 77n);
    const outcome = traps.handle(symbols.address('bpf_get_current_pid_tgid'));
    expect(outcome).toMatchObject({ kind: 'continue', event: { id: 14, pc: 0xffffffff78000100n } });
    expect(machine.pc).toBe(0xffffffff78000100n);
    expect(machine.getRegister(REG.a0)).toBe((1000n << 32n) | 1000n);
    for (const register of CALLER_SAVED) {
      if (register !== REG.a0) expect(machine.getRegister(register)).toBe(helperPoison(register));
    }
    expect(machine.getRegister(REG.a6)).toBe(0xdead4ead00000010n);
    expect(machine.getRegister(REG.s1)).toBe(77n);
  });

  it('says which function is not modelled, and where execution went astray', () => {
    const { traps, symbols } = setUp();
    expect(traps.handle(symbols.address('bpf_sk_lookup_tcp'))).toMatchObject({
      kind: 'unknown',
      message: expect.stringContaining(
        'bpf_sk_lookup_tcp is a helper that Hartbeat does not model yet',
      ) as string,
    });
    expect(traps.handle(symbols.address('bpf_ktime_get_ns') + 2n)).toMatchObject({
      kind: 'unknown',
      message: expect.stringContaining('bpf_ktime_get_ns+0x2') as string,
    });
  });

  it('a helper that is given a bad address stops with a sentence', () => {
    const { traps, symbols, machine } = setUp();
    machine.setRegister(REG.a0, 0x10n);
    expect(traps.handle(symbols.address('bpf_map_lookup_elem'))).toMatchObject({
      kind: 'unknown',
      message: 'bpf_map_lookup_elem could not go on: A map was expected at 0x10, where there is none.',
    });
  });

  const CALLBACK = 0xffffffff78002000n;

  it('bpf_loop keeps its state on the kernel stack, so a snapshot inside the callback holds it', () => {
    const { traps, machine, symbols, events } = setUp();
    const [ra, sp, fp] = [0xffffffff78000200n, machine.getRegister(REG.sp), machine.getRegister(REG.fp)];
    machine.setRegister(REG.ra, ra);
    [3n, CALLBACK, 0x5555n, 0n].forEach((value, i) => machine.setRegister(REG.a0 + i, value));
    expect(traps.handle(symbols.address('bpf_loop'))).toEqual({ kind: 'continue' });
    const seen: bigint[] = [];
    const callback = (result: bigint): ReturnType<Traps['handle']> => {
      expect(machine.pc).toBe(CALLBACK);
      expect(machine.getRegister(REG.a1)).toBe(0x5555n);
      expect(machine.getRegister(REG.sp) % 16n).toBe(0n);
      // The frame of a C function: ra and fp lie below fp.
      const frame = machine.getRegister(REG.fp);
      expect(machine.memory.readU64(frame - 8n)).toBe(ra);
      expect(machine.memory.readU64(frame - 16n)).toBe(fp);
      seen.push(machine.getRegister(REG.a0));
      machine.setRegister(REG.a0, result);
      return traps.handle(machine.getRegister(REG.ra));
    };
    callback(0n);
    const snapshot = machine.snapshot();
    callback(0n);
    expect(callback(0n)).toMatchObject({
      kind: 'continue',
      event: { name: 'bpf_loop', id: 181, result: 3n, args: [3n, CALLBACK, 0x5555n, 0n, helperPoison(14)] },
    });
    expect([machine.pc, machine.getRegister(REG.sp), machine.getRegister(REG.fp)]).toEqual([ra, sp, fp]);
    machine.restore(snapshot);
    expect(callback(1n)).toMatchObject({ event: { result: 2n } });
    expect(seen).toEqual([0n, 1n, 2n, 1n]);
    expect(events.length).toBe(2);
  });

  it.each([
    [0n, 0n, 0n],
    [(1n << 23n) + 1n, 0n, -7n],
    [1n, 1n, -22n],
  ])('bpf_loop(%i, flags %i) returns without a call', (count, flags, result) => {
    const { traps, machine, symbols } = setUp();
    [count, CALLBACK, 0n, flags].forEach((value, i) => machine.setRegister(REG.a0 + i, value));
    expect(traps.handle(symbols.address('bpf_loop'))).toMatchObject({ event: { result: u64(result) } });
  });

  it('bpf_for_each_map_elem passes map, key, value and context', () => {
    const { world, traps, machine, symbols } = setUp();
    const array = world.map('array', { maxEntries: 2 });
    [array.address, CALLBACK, 0x77n, 0n].forEach((value, i) => machine.setRegister(REG.a0 + i, value));
    traps.handle(symbols.address('bpf_for_each_array_elem'));
    for (const index of [0, 1]) {
      expect(machine.getRegister(REG.a0)).toBe(array.address);
      expect(machine.memory.readU32(machine.getRegister(REG.a1))).toBe(index);
      expect(machine.getRegister(REG.a0 + 2)).toBe(array.lookup(u32le(index)));
      expect(machine.getRegister(REG.a0 + 3)).toBe(0x77n);
      machine.setRegister(REG.a0, 0n);
      traps.handle(machine.getRegister(REG.ra));
    }
    expect(machine.getRegister(REG.a0)).toBe(2n);
  });
});
