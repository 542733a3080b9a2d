import { TCC_SCHEMES, type TccSchemeName } from './tcc/index';

const OF_ALL = {
  'prologue/type-word':
    'kCFI type word: indirect calls compare it with the type they expect before they enter.',
  'prologue/entry-nops': 'Patchable entry: text poke writes the jump to a trampoline here.',
  'prologue/lower-sp': 'Makes the frame: saved registers above, BPF stack below.',
  'prologue/save': 'Saves a register that this function changes and its caller relies on.',
  'prologue/set-fp': 'The frame pointer marks the upper end of the frame.',
  'prologue/set-bpf-fp': 'R10, the BPF frame pointer, marks the upper end of the BPF stack.',
  'prologue/arena-base': 'Arena accesses add this base, the address of the arena in the kernel.',
  'epilogue/restore': 'Gives the caller back the register it had.',
  'epilogue/raise-sp': 'Gives the frame back.',
  'epilogue/return-value': 'The caller in C finds the result in a0, as a sign-extended 32-bit int.',
  'epilogue/return': 'Returns to the caller.',

  'tcc/init': 'A program entry starts with a budget of 33 tail calls in a6.',
  'tcc/store': 'Stores the counter in its slot of this frame.',
  'tcc/load': 'Loads the counter from its slot, for whoever comes next.',
  'tcc/take': 'Takes one tail call from the budget.',
  'tcc/test': 'No budget left: the tail call falls through.',

  'alu/move': 'Copies a register.',
  'alu/constant': 'Loads a constant.',
  'alu/sign-extending-move': 'MOVSX: copies and sign-extends.',
  'alu/explicit-zero-extend': 'The zero extension that the verifier inserted after a 32-bit result.',
  'alu/zero-extend':
    'BPF zero-extends 32-bit results, RV64 sign-extends them; the verifier has not taken care of it here.',
  'alu/arithmetic': 'The operation itself.',
  'alu/negate': 'Zero minus the register.',
  'alu/byte-order': 'Changes or truncates to a byte order.',
  'alu/per-cpu-address': 'Adds this CPU’s offset to a per-cpu address.',
  'alu/cast-user': 'Turns a kernel-side arena pointer into the address user space sees.',
  'immediate/load': 'The constant does not fit the instruction, so it is loaded into a scratch register.',
  'immediate/load-64': 'ld_imm64: a 64-bit constant, map or variable address.',
  'immediate/function':
    'Address of a BPF function, position-relative so that its length is the same in every pass.',

  'memory/address': 'Base plus displacement: the displacement does not fit the access.',
  'memory/arena-address': 'Base of the arena plus the 32-bit offset that the program holds.',
  'memory/load': 'The load.',
  'memory/store': 'The store.',
  'memory/fence': 'Orders the access as acquire or release asks.',
  'atomic/operation': 'Read-modify-write in one instruction.',
  'atomic/zero-extend':
    'The old 32-bit value that was fetched is sign-extended by the AMO; BPF wants it zero-extended.',
  'atomic/expected': 'Copy of R0, the expected value of the comparison.',
  'atomic/compare-and-exchange': 'Load-reserved, compare, store-conditional, again if it failed.',
  'atomic/fence': 'Makes a successful compare-and-exchange fully ordered.',

  'branch/extend-operands': '32-bit comparison: RV64 compares 64 bits, so both sides are extended alike.',
  'branch/test-bits': 'JSET: the bits in common, which the branch compares with zero.',
  'branch/short': 'The target is within ±4 KiB: one branch.',
  'branch/relaxed-21': 'The target is beyond ±4 KiB: the inverse condition jumps over a jal.',
  'branch/relaxed-32': 'The target is beyond ±1 MiB: the inverse condition jumps over auipc and jalr.',
  'jump/always': 'Jumps.',
  'jump/exit': 'Jumps to the epilogue.',

  'call/extend-argument': 'The C calling convention wants narrow arguments extended.',
  'call/leave': 'Calls a helper or kernel function.',
  'call/bpf': 'Calls another BPF function; always the long form, its address is known only later.',
  'call/result': 'The result of a C function goes to R0.',
  'call/inlined': 'This helper is so small that its code stands here instead of a call.',

  'tail-call/index': 'The index is 32 bits wide.',
  'tail-call/bounds': 'An index beyond the array falls through.',
  'tail-call/lookup': 'Loads the program at the index.',
  'tail-call/empty-slot': 'An empty slot falls through.',
  'tail-call/target': 'Loads the address of the program’s code.',
  'tail-call/jump': 'Jumps behind the entry nops and the initialisation of the counter.',

  'trampoline/type-word':
    'kCFI type word of the struct_ops stub: the kernel calls the trampoline indirectly.',
  'trampoline/frame':
    'Frame of the traced function, as if it had run its own prologue, and that of the trampoline.',
  'trampoline/save-s1': 'Saves s1, which keeps the start time of a program across it.',
  'trampoline/function-ip': 'Address of the traced function, for bpf_get_func_ip.',
  'trampoline/slot-count': 'Number of argument slots, for bpf_get_func_arg and its kin.',
  'trampoline/session-meta': 'Which session this is, for the session kfuncs.',
  'trampoline/store-argument': 'Stores an argument where the programs’ context pointer reaches it.',
  'trampoline/clear-cookie': 'Session cookies start as zero.',
  'trampoline/clear-result': 'The result starts as zero.',
  'trampoline/enter': '__bpf_tramp_enter: keeps this image alive while the original runs.',
  'trampoline/exit': '__bpf_tramp_exit: the image is no longer needed.',
  'trampoline/detach-nop': 'Becomes a jump past this program when it is detached.',
  'trampoline/cookie': 'The cookie of this attachment, for bpf_get_attach_cookie.',
  'trampoline/prog-enter':
    '__bpf_prog_enter: start time, recursion and sleep rules; 0 means skip the program.',
  'trampoline/skip': 'Skips the program if it must not run now.',
  'trampoline/call-program': 'Calls the program with the address of the arguments as its context.',
  'trampoline/store-result': 'Stores the result.',
  'trampoline/prog-exit': '__bpf_prog_exit: statistics and the end of the section.',
  'trampoline/skip-original': 'A fmod_ret program returned an error: the original is not called.',
  'trampoline/load-argument': 'Loads an argument register again.',
  'trampoline/stack-argument': 'Copies an argument that the caller passed on the stack.',
  'trampoline/call-original': 'Calls the traced function behind its patched entry.',
  'trampoline/retire-nops': 'Becomes a jump to the end when the trampoline retires while the original runs.',
  'trampoline/load-result': 'Loads the result for the caller.',
  'trampoline/restore': 'Restores registers and frames.',
  'trampoline/return': 'Returns: into the traced function, or to its caller if the original was called here.',
} as const;

type OfSchemes = { [Name in TccSchemeName]: keyof (typeof TCC_SCHEMES)[Name]['rules'] }[TccSchemeName];

export type RuleName = keyof typeof OF_ALL | OfSchemes;

/**
 * The rules of the JIT by stable names, each with the sentence that answers "why are you here?". The part before the
 * slash says which part of the translation the rule belongs to. Kernel names are those of arch/riscv/net. What only one
 * scheme of the tail call counter does, its file says.
 */
export const RULES = Object.fromEntries([
  ...Object.entries(OF_ALL),
  ...Object.values(TCC_SCHEMES).flatMap(({ rules }) => Object.entries(rules)),
]) as Readonly<Record<RuleName, string>>;

/** All rule names in the order of the table; compact records hold positions in this list. */
export const RULE_NAMES = Object.keys(RULES) as RuleName[];

/** The sentence of a piece's rule. */
export function explainRule(rule: string): string {
  return rule in RULES ? RULES[rule as RuleName] : 'No such rule is known.';
}
