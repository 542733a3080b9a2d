import type { Execution } from './execution';
import type { History } from './history';
import { lastHalt } from './reverse';
import type { LastWriteView, WriteTarget } from './views';
import { changeText, eventValues, writerText, writerView, type Names } from './watch-sentences';
import type { WatchEvent } from './watching';
import { targetText, writesOf } from './watchpoints';

/** The answer to "who wrote it last?", as found in the past. */
export interface LastWrite {
  /** The instant right before the write, and the instructions executed then. */
  readonly time: number;
  readonly instructions: number;
  /** Undefined: nothing has written it since the program was entered. */
  readonly event: WatchEvent | undefined;
}

/**
 * Looks for the last write of a register or memory before now. It travels through the past; whoever asks goes back.
 * @param onFound told the answer
 * @returns the instant of the answer; yields between stretches of work, in units of time spent
 * @throws EngineError `debugger/watch` for a target that there is not, before anything is done
 */
export function lastWrite(
  execution: Execution,
  history: History,
  target: WriteTarget,
  onFound: (found: LastWrite) => void,
): Generator<number, number> {
  const watches = [{ id: 0, watch: writesOf(target) }];
  return search(execution, history, { addresses: new Set(), wants: () => false, watches }, onFound);
}

function* search(
  execution: Execution,
  history: History,
  interest: Parameters<typeof lastHalt>[3],
  onFound: (found: LastWrite) => void,
): Generator<number, number> {
  const found = yield* lastHalt(execution, history, execution.time, interest);
  const time = found ? found.time - 1 : history.start;
  // What the counter shows right before the write is seen there.
  history.goTo(time);
  const instructions = Number(execution.machine.instructions);
  onFound({ time, instructions, event: found?.watched[0] });
  return time;
}

/** The answer for a window. @param program name of the program that was entered */
export function lastWriteView(
  names: Names,
  target: WriteTarget,
  { time, instructions, event }: LastWrite,
  stamp: { readonly session: string; readonly stop: number },
  program: string,
): LastWriteView {
  const label = targetText(target);
  const plain = { ...stamp, target, label, time, instructions };
  const several = target.kind === 'memory' && target.length > 1;
  if (!event) {
    const holds = several ? 'they hold' : 'it holds';
    const giver = target.kind === 'register' ? 'the kernel' : 'user space or the kernel';
    return {
      ...plain,
      text: `Nothing has written ${several ? 'the ' : ''}${label} since ${program} was entered: ${holds} what ${giver} put there before.`,
    };
  }
  const writer = writerView(names, event.by);
  const values = eventValues(event);
  const part = event.kind === 'memory' && event.after.length < lengthOf(target) ? ' in part' : '';
  const verb = `${several ? 'were' : 'was'} last written${part}`;
  return {
    ...plain,
    text: `${label} ${verb} by ${writerText(writer)}: ${changeText(event)}.`,
    writer,
    ...(values.before !== undefined && { before: values.before }),
    after: values.after,
  };
}

const lengthOf = (target: WriteTarget): number => (target.kind === 'memory' ? target.length : 8);
