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
  if (!(a.top in TOP_ARROWS) || !(b.top in TOP_ARROWS)) return undefined;
  if (a.top !== b.top) {
    if (!TOP_ARROWS[a.top].includes(b.top)) return `${a.top} must not import ${b.top}`;
    if (a.top === 'shared' && !typeOnly) return 'shared may import the engine’s types, never its values';
    return undefined;
  }
  if (a.top !== 'engine' || a.engine === b.engine) return undefined;
  const i = ENGINE_ROOMS.indexOf(a.engine);
  const j = ENGINE_ROOMS.indexOf(b.engine);
  if (i < 0 || j < 0 || j < i) return undefined;
  return `engine/${a.engine} must not import engine/${b.engine}, a later room`;
}

/** ESLint rule: the arrows between the rooms, and nothing of a host inside the engine. */
export const arrowsRule = {
  meta: { type: 'problem', schema: [], messages: { arrow: '{{why}} (architecture: arrows between rooms)' } },
  create(context) {
    const file = context.filename;
    const isTest = /\.test\.ts$|\/testing\//.test(file);
    function check(node, source, typeOnly) {
      const { top } = roomOf(file);
      if (!source.startsWith('.')) {
        if (top === 'engine' && !isTest) {
          context.report({
            node,
            messageId: 'arrow',
            data: { why: `the engine imports nothing outside itself, not '${source}'` },
          });
        }
        return;
      }
      if (isTest) return;
      const why = forbiddenArrow(file, path.resolve(path.dirname(file), source), typeOnly);
      if (why) context.report({ node, messageId: 'arrow', data: { why } });
    }
    return {
      ImportDeclaration: (node) => check(node, node.source.value, node.importKind === 'type'),
      ExportNamedDeclaration: (node) =>
        node.source && check(node, node.source.value, node.exportKind === 'type'),
      ExportAllDeclaration: (node) => check(node, node.source.value, node.exportKind === 'type'),
      ImportExpression: (node) =>
        node.source.type === 'Literal' && check(node, String(node.source.value), false),
    };
  },
};
