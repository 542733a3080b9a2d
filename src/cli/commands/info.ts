import { mapTypeName } from '../../engine/loader/map-types';
import type { BpfObject } from '../../engine/loader/object';
import type { Command } from '../command';
import { toJson } from '../json';
import { openObject } from '../open';
import { counted, table } from '../table';

/** What `info --json` prints; keys of the contract first, more below them. */
function describe(object: BpfObject) {
  return {
    name: object.name,
    license: object.license,
    programs: object.programs.map((program) => ({
      name: program.name,
      section: program.section,
      type: program.type.name,
      instructions: program.insns.length,
      subprograms: program.functions.slice(1).map((f) => f.name),
      ...(program.attachTo !== undefined && { attachTo: program.attachTo }),
      ...(program.unsupported !== undefined && { unsupported: program.unsupported }),
    })),
    maps: object.maps.map((map) => ({
      name: map.name,
      type: mapTypeName(map.type),
      keySize: map.keySize,
      valueSize: map.valueSize,
      maxEntries: map.maxEntries,
      flags: map.flags,
    })),
    globals: object.globals.map(({ name, map, offset, size }) => ({ name, map, offset, size })),
    externs: object.externs.map(({ name, kind, weak }) => ({ name, kind, weak })),
  };
}

type Description = ReturnType<typeof describe>;

/** `hartbeat info OBJ` */
export const infoCommand: Command = {
  name: 'info',
  summary: 'what an object file holds: programs, maps, globals, externs',
  positionals: [{ name: 'OBJ', required: true }],
  options: [{ name: 'json', help: 'one JSON value on standard output' }],
  async run(args, io) {
    const info = describe(await openObject(args.positionals[0]!, io));
    await io.out(args.has('json') ? `${toJson(info)}\n` : text(info));
    return 0;
  },
};

function text(info: Description): string {
  const parts = [`${info.name}, license ${info.license === '' ? 'not stated' : info.license}\n`];
  const section = (title: string, rows: readonly (readonly string[])[]) => {
    if (rows.length > 0) parts.push(`\n${title}\n${table(rows, '  ')}`);
  };
  section(
    'Programs',
    info.programs.map((p) => [
      p.name,
      p.type,
      p.section,
      counted(p.instructions, 'instruction'),
      p.subprograms.length === 0 ? '' : `calls ${p.subprograms.join(', ')}`,
    ]),
  );
  for (const { name, unsupported } of info.programs) {
    if (unsupported !== undefined) parts.push(`  ${name} cannot be run: ${unsupported}\n`);
  }
  section(
    'Maps',
    info.maps.map((m) => [
      m.name,
      m.type,
      `key ${counted(m.keySize, 'byte')}`,
      `value ${counted(m.valueSize, 'byte')}`,
      `${m.maxEntries} entries`,
    ]),
  );
  section(
    'Globals',
    info.globals.map((g) => [g.name, g.map, `offset ${g.offset}`, counted(g.size, 'byte')]),
  );
  section(
    'Externs',
    info.externs.map((e) => [e.name, e.kind, e.weak ? 'weak' : '']),
  );
  return parts.join('');
}
