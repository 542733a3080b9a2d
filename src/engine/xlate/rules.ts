/**
 * The rewrites between the program as it was handed over and the code that the JIT gets, by stable names, each with the
 * sentence that answers "where does this instruction come from?". Kernel names are those of kernel/bpf.
 */
const REWRITES = {
  'bpf-loop-inline': 'bpf_loop with a known callback becomes a loop of plain calls, without the helper.',
  'ctx-access':
    'A field of the user-visible context is read where the kernel keeps it, in its own structure.',
  'dead-branch': 'Only one side of this branch can be reached, so it became a plain jump.',
  'div-by-zero':
    'Guards the division: by zero gives quotient 0 and leaves the dividend as remainder; by -1 it must not trap.',
  fastcall: 'A spill or fill around a call that keeps the registers anyway: it became nothing.',
  'get-func-arg': 'Reads the argument where the trampoline left it, without calling the helper.',
  'get-func-arg-cnt':
    'Reads the number of arguments where the trampoline left it, without calling the helper.',
  'get-func-ip': 'Reads the traced address where the trampoline left it, without calling the helper.',
  'get-func-ret': 'Reads the return value where the trampoline left it, without calling the helper.',
  'helper-address': 'The helper’s number became its address, as a distance from __bpf_call_base.',
  jiffies: 'Reads the kernel’s jiffies, without calling the helper.',
  'jit-inlined-helper': 'The JIT emits this helper itself, so the call keeps the helper’s number.',
  'kptr-xchg': 'bpf_kptr_xchg became one atomic exchange.',
  'kfunc-address': 'The kernel function’s BTF id became its address, as a distance from __bpf_call_base.',
  'ld-abs': 'The old packet load became a call; where the packet is too short the program ends with 0.',
  'map-function': 'The map’s type is known, so its own function is called in place of the helper.',
  'map-lookup-inline':
    'The look-up in this type of map is a few instructions, done here without calling the helper.',
  'may-goto': 'Counts the rounds of this loop below the stack and leaves it when they are used up.',
  'may-goto-start': 'The rounds that loops with may_goto have left are set here.',
  'packet-write-prologue': 'The program writes to the packet: a shared buffer is made private first.',
  'probe-load':
    'The pointer comes from the kernel and may be bad: a fault here clears the register and goes on.',
  'random-high-half':
    'The upper half is filled with a random number, as the test flag BPF_F_TEST_RND_HI32 asks.',
  'storage-get': 'The flags with which memory may be allocated here are passed as a fifth argument.',
  'tail-call': 'The helper call became the tail call instruction, which the JIT turns into a jump.',
  'timer-callback':
    'The program’s own record is passed as a third argument, to keep it alive with the timer.',
  'zero-extension': 'The upper half of a 32-bit result is read later, so it is cleared here.',
} as const;

export type RewriteRule = keyof typeof REWRITES;

/** The sentence for a rewrite. */
export const explainRewrite = (rule: RewriteRule): string => REWRITES[rule];
