import path from 'node:path';

/** The engine's rooms in the order of the way through the house: an arrow points only to a room named earlier. */
export const ENGINE_ROOMS = [
  'base',
  'profile',
  'bpf',
  'rv64',
  'elf',
  'btf',
  'loader',
  'xlate',
  'jit',
  'machine',
  'kernel',
  'debugger',
];

/** Which top-level rooms each top-level room may import from (itself aside). */
export const TOP_ARROWS = {
  engine: [],
  shared: ['engine'], // types only
  main: ['shared', 'engine'],
  preload: ['shared'],
  renderer: ['shared'],
  cli: ['shared', 'engine'],
};

/** Packages and host modules that a room may import: names, `node:*` for all of Node's; absent: any. */
const FOREIGN = {
  engine: [],
  shared: ['valibot'],
  preload: ['electron'],
  cli: ['node:*'],
};
/** What a page in a browser does not have. */
const HOST_ONLY = ['node:*', 'electron', 'ws'];

/** Splits a file path below src/ into its top-level room and, in the engine, the engine room. */
export function roomOf(file) {
  const parts = file.split(path.sep).join('/').split('/src/').pop().split('/');
  return { top: parts[0], engine: parts[0] === 'engine' ? parts[1] : undefined };
}

/**
 * Says why `from` may not import `to` (both absolute paths), or nothing when the arrow is allowed.
 * @param {string} from
 * @param {string} to
 * @param {boolean} typeOnly
 */
export function forbiddenArrow(from, to, typeOnly) {
  const a = roomOf(from);
  const b = roomOf(to);
  if (!(a.top in TOP_ARROWS)) return undefined;
  if (!(b.top in TOP_ARROWS)) return `${a.top} must not import what is no room of src`;
  if (a.top !== b.top) {
    if (!TOP_ARROWS[a.top].includes(b.top)) return `${a.top} must not import ${b.top}`;
    if (a.top === 'shared' && !typeOnly) return 'shared may import the engine’s types, never its values';
    return undefined;
  }
  if (a.top !== 'engine' || a.engine === b.engine) return undefined;
  const i = ENGINE_ROOMS.indexOf(a.engine);
  const j = ENGINE_ROOMS.indexOf(b.engine);
  if (i < 0 || j < 0) return `engine/${i < 0 ? a.engine : b.engine} is no room of the engine`;
  return j < i ? undefined : `engine/${a.engine} must not import engine/${b.engine}, a later room`;
}

/**
 * Says why `from` (an absolute path) may not import a package or host module, or nothing when it may.
 * @param {string} from
 * @param {string} name
 */
export function forbiddenModule(from, name) {
  const { top } = roomOf(from);
  const listed = (list) =>
    list.some((known) => known === name || (known === 'node:*' && name.startsWith('node:')));
  if (top === 'engine') return `the engine imports nothing outside itself, not '${name}'`;
  if (top in FOREIGN && !listed(FOREIGN[top])) return `${top} must not import '${name}'`;
  if (top === 'renderer' && listed(HOST_ONLY))
    return `the renderer runs in a browser, which has no '${name}'`;
  return undefined;
}

/** ESLint rule: the arrows between the rooms, and nothing of a host inside the engine. */
export const arrowsRule = {
  meta: { type: 'problem', schema: [], messages: { arrow: '{{why}} (architecture: arrows between rooms)' } },
  create(context) {
    const file = context.filename;
    const isTest = /\.test\.ts$|\/testing\//.test(file);
    // Tests may look anywhere; what they need beside them does not ship.
    if (isTest) return {};
    const report = (node, why) => why && context.report({ node, messageId: 'arrow', data: { why } });
    function check(node, source, typeOnly) {
      const why = source.startsWith('.')
        ? forbiddenArrow(file, path.resolve(path.dirname(file), source), typeOnly)
        : forbiddenModule(file, source);
      report(node, why);
    }
    return {
      ImportDeclaration: (node) => check(node, node.source.value, node.importKind === 'type'),
      ExportNamedDeclaration: (node) =>
        node.source && check(node, node.source.value, node.exportKind === 'type'),
      ExportAllDeclaration: (node) => check(node, node.source.value, node.exportKind === 'type'),
      ImportExpression: (node) => {
        if (node.source.type === 'Literal') check(node, String(node.source.value), false);
        else if (roomOf(file).top === 'engine') report(node, 'the engine imports nothing by a computed name');
      },
      TSImportType: (node) => check(node, node.source.value, true),
      TSImportEqualsDeclaration: (node) =>
        node.moduleReference.type === 'TSExternalModuleReference' &&
        check(node, node.moduleReference.expression.value, false),
    };
  },
};
