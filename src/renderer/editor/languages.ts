import { HighlightStyle, StreamLanguage, syntaxHighlighting, type StreamParser } from '@codemirror/language';
import type { Extension } from '@codemirror/state';
import { tags } from '@lezer/highlight';

/** Colours for the three columns: small tokenizers, enough to read by, none of them a parser. */

const C_KEYWORDS = new Set(
  (
    'auto break case const continue default do else enum extern for goto if inline register restrict return sizeof ' +
    'static struct switch typedef union volatile while __always_inline __noinline __attribute__ asm __asm__'
  ).split(' '),
);
const C_TYPES =
  /^(?:void|char|short|int|long|float|double|signed|unsigned|bool|_Bool|size_t|__?[us](?:8|16|32|64)|u?int(?:8|16|32|64)_t|__(?:be|le)(?:16|32|64))$/;

interface CState {
  comment: boolean;
}

const c: StreamParser<CState> = {
  startState: () => ({ comment: false }),
  token(stream, state) {
    if (state.comment) {
      if (stream.skipTo('*/')) {
        stream.match('*/');
        state.comment = false;
      } else stream.skipToEnd();
      return 'comment';
    }
    if (stream.eatSpace()) return null;
    if (stream.match('//')) {
      stream.skipToEnd();
      return 'comment';
    }
    if (stream.match('/*')) {
      state.comment = true;
      return 'comment';
    }
    if (stream.match(/^#\s*\w+/)) return 'meta';
    if (stream.match(/^"(?:[^"\\]|\\.)*"?/) || stream.match(/^'(?:[^'\\]|\\.)*'?/)) return 'string';
    if (stream.match(/^(?:0x[0-9a-f]+|\d+(?:\.\d+)?)[ul]*/i)) return 'number';
    const word = stream.match(/^[A-Za-z_]\w*/);
    if (word && typeof word !== 'boolean') {
      if (C_KEYWORDS.has(word[0])) return 'keyword';
      if (C_TYPES.test(word[0])) return 'typeName';
      if (/^[A-Z][A-Z0-9_]+$/.test(word[0])) return 'constant';
      if (/^\s*\(/.test(stream.string.slice(stream.pos))) return 'function';
      return 'variableName';
    }
    stream.next();
    return 'punctuation';
  },
  tokenTable: { constant: tags.constant(tags.variableName), function: tags.function(tags.variableName) },
};

const bpf: StreamParser<null> = {
  token(stream) {
    if (stream.eatSpace()) return null;
    if (stream.match(/^;.*/)) return 'comment';
    if (stream.match(/^(?:if|goto|call|callx|exit|lock|may_goto|gotol|nop)\b/)) return 'keyword';
    if (stream.match(/^(?:r(?:10|11|[0-9])|w(?:10|11|[0-9])|R(?:10|[0-9]))\b/)) return 'register';
    if (stream.match(/^\*?\((?:u|s)(?:8|16|32|64) ?\*?\)/)) return 'typeName';
    if (stream.match(/^[+-]?(?:0x[0-9a-f]+|\d+)\b/i)) return 'number';
    if (stream.match(/^(?:bpf_\w+|bpf_prog_\w+)(?:#\d+)?/)) return 'function';
    if (stream.match(/^[A-Za-z_][\w.]*(?=\[)/)) return 'constant';
    if (stream.match(/^[A-Za-z_]\w*/)) return 'variableName';
    stream.next();
    return 'punctuation';
  },
  tokenTable: {
    register: tags.atom,
    constant: tags.constant(tags.variableName),
    function: tags.function(tags.variableName),
  },
};

const REGISTER = /^(?:zero|ra|[sgtf]p|t[0-6]|s(?:1[01]|[0-9])|a[0-7]|pc)\b/;

const riscv: StreamParser<{ first: boolean }> = {
  startState: () => ({ first: true }),
  token(stream, state) {
    if (stream.sol()) state.first = true;
    if (stream.eatSpace()) return null;
    if (stream.match(/^[#<].*/)) return 'comment';
    if (state.first) {
      state.first = false;
      if (stream.match(/^(?:c\.)?(?:j|jr|jal|jalr|call|tail|ret|b[a-z]+)\b/)) return 'keyword';
      if (stream.match(/^[a-z.][\w.]*/)) return 'mnemonic';
    }
    if (stream.match(REGISTER)) return 'register';
    if (stream.match(/^[+-]?(?:0x[0-9a-f]+|\d+)\b/i)) return 'number';
    if (stream.match(/^[A-Za-z_][\w.]*/)) return 'function';
    stream.next();
    return 'punctuation';
  },
  tokenTable: {
    mnemonic: tags.operatorKeyword,
    register: tags.atom,
    function: tags.function(tags.variableName),
  },
};

const style = HighlightStyle.define([
  { tag: tags.keyword, color: 'var(--syn-keyword)' },
  { tag: tags.operatorKeyword, color: 'var(--syn-mnemonic)' },
  { tag: tags.typeName, color: 'var(--syn-type)' },
  { tag: tags.atom, color: 'var(--syn-register)' },
  { tag: tags.number, color: 'var(--syn-number)' },
  { tag: tags.string, color: 'var(--syn-string)' },
  { tag: tags.comment, color: 'var(--syn-comment)', fontStyle: 'italic' },
  { tag: tags.meta, color: 'var(--syn-meta)' },
  { tag: tags.constant(tags.variableName), color: 'var(--syn-constant)' },
  { tag: tags.function(tags.variableName), color: 'var(--syn-function)' },
  { tag: tags.punctuation, color: 'var(--syn-punctuation)' },
]);

const parsers = {
  source: StreamLanguage.define(c),
  bpf: StreamLanguage.define(bpf),
  native: StreamLanguage.define(riscv),
};

/** The language of a column, coloured by CSS variables so that it follows the theme. */
export function language(column: keyof typeof parsers): Extension {
  return [parsers[column], syntaxHighlighting(style)];
}
