import { expect, it } from 'vitest';
import { sampleRegisters } from '../testing/sample-views';
import { registerGroups, registerText } from './registers';

const registers = sampleRegisters(20, '0xffffffff80100050');

it('groups registers for reading BPF code, each one once', () => {
  const groups = registerGroups(registers, 'bpf');
  expect(groups.map(({ name }) => name)).toEqual([
    'Tail call counter',
    'BPF registers',
    'Stack and control flow',
    'Other registers',
  ]);
  expect(groups[0]?.registers.map(({ abi }) => abi)).toEqual(['a6', 's6']);
  expect(groups[1]?.registers.map(({ bpf }) => bpf)).toEqual(
    'R0 R1 R2 R3 R4 R5 R6 R7 R8 R9 R10 AX'.split(' '),
  );
  expect(groups[2]?.registers.map(({ index }) => index)).toEqual([32, 2, 1, 8]);
  const all = groups.flatMap((group) => group.registers.map(({ index }) => index));
  expect([...all].sort((a, b) => a - b)).toEqual(Array.from({ length: 32 }, (_, i) => i + 1));
});

it('orders by number with the pc in front', () => {
  const [group] = registerGroups(registers, 'number');
  expect(group?.registers.map(({ index }) => index)).toEqual([
    32,
    ...Array.from({ length: 32 }, (_, i) => i),
  ]);
});

it('leaves out the BPF group where no BPF register is held, as in kernel code', () => {
  const bare = registers.map((register) => ({ ...register, bpf: undefined }));
  expect(registerGroups(bare, 'bpf').map(({ name }) => name)).not.toContain('BPF registers');
});

it('writes a register as one line', () => {
  const a6 = registers.find(({ abi }) => abi === 'a6');
  expect(registerText(a6!)).toBe('a6       0x21               33');
});
