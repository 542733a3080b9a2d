import type { VerifierEnv } from './env';
import type { VerifierState } from './state';

/** Paths that may wait at a time (BPF_COMPLEXITY_LIMIT_JMP_SEQ). */
const MAX_PENDING = 8192;

/** Keeps a copy of the current state to be followed from `target` later (push_stack). */
export function pushPath(env: VerifierEnv, target: number): VerifierState {
  if (env.pending.length >= MAX_PENDING) {
    env.refuse(
      'complexity',
      `a sequence of ${MAX_PENDING} jumps that could go either way is too much for the kernel`,
    );
  }
  const state = env.state.clone();
  // the copy is a way of its own from the checkpoint that both continue
  state.branches = 1;
  if (state.parent) state.parent.branches++;
  env.pending.push({ state, insn: target, prev: env.insn });
  return state;
}

/** A path is done: the checkpoints that only it kept open are complete now (update_branch_counts). */
export function finishPath(state: VerifierState): void {
  for (let at: VerifierState | undefined = state; at; at = at.parent) {
    at.branches--;
    if (at.branches > 0) return;
  }
}
