import { typeOf, skipQualifiers } from './resolve';
import type { Btf, BtfType } from './types';

/** References followed and characters written before the rest becomes `…`; types may be cyclic or hostile. */
const DEPTH_LIMIT = 32;
const LENGTH_LIMIT = 2000;

/**
 * The type as C writes it: `struct task_struct *`, `const char[16]`, `int (*)(void *, u32)`. Structs without a name show as
 * `struct {…}`.
 */
export function typeText(btf: Btf, id: number): string {
  return declarationText(btf, id, '');
}

/** A declaration of `name` with the type: `u8 buf[16]`, `int (*fn)(void *)`. */
export function declarationText(btf: Btf, id: number, name: string): string {
  return new Writer(btf).declare(id, name, 0);
}

class Writer {
  private written = 0;

  constructor(private readonly btf: Btf) {}

  /** C declarators are read inside out: `inner` is what has been written around the name so far. */
  declare(id: number, inner: string, depth: number): string {
    this.written += inner.length + 1;
    if (depth > DEPTH_LIMIT || this.written > LENGTH_LIMIT) return join('…', inner);
    const type = typeOf(this.btf, id);
    switch (type?.kind) {
      case 'ptr': {
        const target = skipQualifiers(this.btf, type.type);
        const wrap = target?.kind === 'array' || target?.kind === 'func_proto';
        return this.declare(type.type ?? 0, wrap ? `(*${inner})` : `*${inner}`, depth + 1);
      }
      case 'array':
        return this.declare(type.array?.type ?? 0, `${inner}[${type.array?.length ?? 0}]`, depth + 1);
      case 'func_proto':
        return this.declare(type.type ?? 0, `${inner}(${this.params(type, depth)})`, depth + 1);
      case 'const':
      case 'volatile':
      case 'restrict':
        return this.qualified(type, inner, depth);
      case 'type_tag':
        return this.declare(type.type ?? 0, inner, depth + 1);
      case 'func':
        return this.declare(type.type ?? 0, inner === '' ? type.name : inner, depth + 1);
      case 'var':
        return this.declare(type.type ?? 0, inner === '' ? type.name : inner, depth + 1);
      default:
        return join(baseText(type, id), inner);
    }
  }

  /** A qualifier of a pointer stands behind its star, any other in front. */
  private qualified(type: BtfType, inner: string, depth: number): string {
    const target = typeOf(this.btf, type.type);
    if (target?.kind === 'ptr')
      return this.declare(target.id, inner === '' ? ` ${type.kind}` : ` ${type.kind} ${inner}`, depth + 1);
    return `${type.kind} ${this.declare(type.type ?? 0, inner, depth + 1)}`;
  }

  private params(proto: BtfType, depth: number): string {
    const params = proto.params ?? [];
    if (params.length === 0) return 'void';
    const texts: string[] = [];
    for (const param of params) {
      if (this.written > LENGTH_LIMIT) {
        texts.push('…');
        break;
      }
      // A last parameter without name and type stands for `...`
      texts.push(
        param.type === 0 && param.name === '' ? '...' : this.declare(param.type, param.name, depth + 1),
      );
    }
    return texts.join(', ');
  }
}

function baseText(type: BtfType | undefined, id: number): string {
  if (!type) return `<no type ${id}>`;
  switch (type.kind) {
    case 'struct':
    case 'union':
      return `${type.kind} ${type.name === '' ? '{…}' : type.name}`;
    case 'fwd':
      return `${type.isUnion === true ? 'union' : 'struct'} ${type.name}`;
    case 'enum':
    case 'enum64':
      return `enum ${type.name === '' ? '{…}' : type.name}`;
    default:
      return type.name;
  }
}

/** `int` + `*p` and `int` + `x` take a space between them, `int` + `[4]` and `int` + `(void)` do not. */
function join(base: string, inner: string): string {
  if (inner === '') return base;
  return /^[[]/.test(inner) || (inner.startsWith('(') && !inner.startsWith('(*'))
    ? base + inner
    : `${base} ${inner}`;
}
