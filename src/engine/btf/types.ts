/** Parsed BTF: `types[id]`; id 0 is void. Reader: parse.ts. */
export interface Btf {
  readonly types: readonly BtfType[];
}

export type BtfKind =
  | 'void'
  | 'int'
  | 'ptr'
  | 'array'
  | 'struct'
  | 'union'
  | 'enum'
  | 'fwd'
  | 'typedef'
  | 'volatile'
  | 'const'
  | 'restrict'
  | 'func'
  | 'func_proto'
  | 'var'
  | 'datasec'
  | 'float'
  | 'decl_tag'
  | 'type_tag'
  | 'enum64';

export interface BtfMember {
  readonly name: string;
  readonly type: number;
  /** Bits from the start of the struct. */
  readonly bitOffset: number;
  /** Bits; 0 when no bit field. */
  readonly bitSize: number;
}

/** One type; which fields have a meaning depends on the kind, as in the kernel's BTF documentation. */
export interface BtfType {
  readonly id: number;
  readonly kind: BtfKind;
  readonly name: string;
  /** Bytes: int, struct, union, enum, enum64, float, datasec. */
  readonly size?: number;
  /** Referred type: ptr, typedef, qualifiers, func (its proto), var, func_proto (return), decl_tag, type_tag. */
  readonly type?: number;
  readonly members?: readonly BtfMember[];
  readonly array?: { readonly type: number; readonly indexType: number; readonly length: number };
  readonly params?: readonly { readonly name: string; readonly type: number }[];
  readonly values?: readonly { readonly name: string; readonly value: bigint }[];
  readonly vars?: readonly { readonly type: number; readonly offset: number; readonly size: number }[];
  readonly int?: {
    readonly signed: boolean;
    readonly char: boolean;
    readonly bool: boolean;
    readonly bits: number;
    readonly bitOffset: number;
  };
  /** func: 0 static, 1 global, 2 extern; var likewise. */
  readonly linkage?: number;
  /** fwd: true for union. */
  readonly isUnion?: boolean;
  readonly componentIndex?: number;
  readonly signed?: boolean;
}
