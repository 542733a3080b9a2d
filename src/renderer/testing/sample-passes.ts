import type { ListingView, PassesView, PassView } from '../../shared/views';

/** A pass log that fits a sample listing; its jumps are longer as long as their distance is a guess. */
export function samplePasses({ session, function: fn, bpf, native }: ListingView): PassesView {
  const bytesOf = (of: (row: ListingView['native'][number]) => boolean) =>
    native.filter(of).reduce((sum, { bytes }) => sum + bytes.length / 2, 0);
  const rows = bpf
    .filter(({ continuation }) => !continuation)
    .map(({ slot, text }) => {
      const size = bytesOf((row) => row.slot === slot);
      const guessed = text.includes('goto') ? size + 4 : size;
      return { slot, text, sizes: [guessed, size, size, size, size] };
    });
  const prologue = bytesOf(({ part }) => part === 'prologue');
  const epilogue = bytesOf(({ part }) => part === 'epilogue');
  const pass = (index: number, head: Pick<PassView, 'kind' | 'round'>): PassView => {
    const body = rows.reduce((sum, { sizes }) => sum + sizes[index]!, 0);
    return head.kind === 'dry-run'
      ? { ...head, prologue: 0, epilogue: 0, total: body }
      : { ...head, prologue, epilogue, total: prologue + body + epilogue };
  };
  const passes = [
    pass(0, { kind: 'dry-run' }),
    ...[1, 2, 3].map((round) => pass(round, { kind: 'round', round })),
    pass(4, { kind: 'final' }),
  ];
  return { session, function: fn, passes, allocatedAfter: 2, rows, leftOut: 0 };
}
