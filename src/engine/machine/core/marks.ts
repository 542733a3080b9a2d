/** Marks on records: places whose first passing is noted. */
import {
  HIGHEST_SP, MARKS_PASSED, MARK_NEXT, RECORD_IMM, RECORD_OFFSET,
} from './layout';

/** Takes the mark off the record at p, which is executed next, and notes that it was passed. */
export function passMark(p: u32): void {
  const mark = load<u32>(p, RECORD_IMM);
  memory.copy(p, mark, RECORD_OFFSET);
  store<u32>(mark, load<u32>(MARKS_PASSED), MARK_NEXT);
  store<u32>(MARKS_PASSED, mark);
}

/** Notes a value that sp is raised to. */
@inline
export function noteSp(sp: u64): void {
  if (sp > load<u64>(HIGHEST_SP)) store<u64>(HIGHEST_SP, sp);
}
