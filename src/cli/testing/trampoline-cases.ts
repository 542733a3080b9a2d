import { gunzipSync } from 'node:zlib';
import { readFileSync } from 'node:fs';

/** What the tests need of a recorded trampoline case (kernel records, `tramp.*`). */
interface Step {
  readonly op: string;
  readonly name?: string;
  readonly prog?: string;
  readonly rc?: number;
  readonly cookie?: string;
  readonly prog_flags?: number;
  readonly prog_type?: number;
  readonly attach_type?: number;
  readonly insns?: string;
  readonly kfuncs?: readonly (readonly [number, string])[];
  readonly funcs?: readonly { readonly addr: string; readonly prog_addr: string }[];
  readonly addr?: string;
  readonly images?: readonly {
    readonly addr: string;
    readonly image: string;
    readonly current?: boolean;
    readonly calls: readonly (readonly [number, string, string, { readonly a0?: string }])[];
  }[];
}

interface Case {
  readonly name: string;
  readonly func?: string;
  readonly args?: string;
  readonly ret?: string;
  readonly steps?: readonly Step[];
}

/** A trampoline that a running kernel had, and the command line that describes it. */
export interface RecordedTrampolineCase {
  readonly name: string;
  readonly argv: readonly string[];
  /** Hex */
  readonly image: string;
}

const KINDS: Readonly<Record<string, string>> = {
  '26/24': 'fentry',
  '26/25': 'fexit',
  '26/26': 'fmod_ret',
  '26/58': 'fsession',
  '29/27': 'lsm',
};
const SLEEPABLE = 16;
/** call 173 = bpf_get_func_ip */
const CALLS_GET_FUNC_IP = /^(?:.{16})*?85000000ad000000/;

/** The trampolines of kernel functions in a file of kernel cases. */
export function trampolineCases(file: string | URL): RecordedTrampolineCase[] {
  const bytes = readFileSync(file);
  const text = (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString();
  return text
    .split('\n')
    .filter((line) => line.startsWith('{"name":"tramp.') || line.startsWith('{"name": "tramp.'))
    .map((line) => JSON.parse(line) as Case)
    .flatMap((record) => caseOf(record) ?? []);
}

function caseOf({
  name,
  func = '',
  args,
  ret = 'int',
  steps = [],
}: Case): RecordedTrampolineCase | undefined {
  const at = steps.findIndex((step) => step.images?.some(({ current }) => current));
  const image = steps[at]?.images?.find(({ current }) => current);
  // Of BPF functions the arguments are not recorded.
  if (!image || args === undefined) return undefined;
  const before = steps.slice(0, at);
  const loads = new Map(before.flatMap((step) => (step.funcs ? [[step.name, step] as const] : [])));
  const attached = before.flatMap((step) => {
    const load = step.op === 'attach' && step.rc === 0 ? loads.get(step.prog) : undefined;
    return load ? [{ load, cookie: step.cookie ?? '0x0' }] : [];
  });
  const entry = before.find((step) => step.op === 'kernel_bytes')?.addr;
  const original = image.calls.find(([, , symbol]) => symbol === `${func}+8`)?.[1];
  const im = image.calls.find(([, , symbol]) => symbol === '__bpf_tramp_enter')?.[3].a0;
  const address = (key: string, value: string | undefined): string[] =>
    value === undefined ? [] : ['--address', `${key}=${value}`];
  return {
    name,
    argv: [
      ...attached.flatMap(({ load, cookie }) => ['--attach', attachment(load, cookie)]),
      ...['--function', func, '--args', args === '' ? 'void' : args.split('|').map(word).join(',')],
      ...['--ret', ret === 'void' ? 'void' : 's32'],
      ...address('image', image.addr),
      ...address('im', im),
      // The record of its bytes begins 8 bytes in front of the entry, its call leads 8 bytes behind it.
      ...address('function', moved(entry, 8n) ?? moved(original, -8n)),
      ...attached.flatMap(({ load }, i) => [
        ...address(`prog${i + 1}`, load.funcs![0]!.prog_addr),
        ...address(`bpf_func${i + 1}`, load.funcs![0]!.addr),
      ]),
    ],
    image: image.image,
  };
}

const moved = (address: string | undefined, by: bigint): string | undefined =>
  address === undefined ? undefined : `0x${(BigInt(address) + by).toString(16)}`;

function attachment(load: Step, cookie: string): string {
  const kind = KINDS[`${load.prog_type}/${load.attach_type}`];
  if (kind === undefined) throw new Error(`no kind for attach type ${load.attach_type}`);
  return [
    kind,
    (load.prog_flags ?? 0) & SLEEPABLE && 'sleepable',
    CALLS_GET_FUNC_IP.test(load.insns ?? '') && 'ip',
    cookie !== '0x0' && `cookie=${cookie}`,
    load.kfuncs?.some(([, kfunc]) => kfunc === 'bpf_session_cookie') && 'session-cookie',
  ]
    .filter(Boolean)
    .join(',');
}

/** `int:4`, `struct_foo:16`, `struct_file_*:8` */
function word(arg: string): string {
  const size = Number(arg.slice(arg.lastIndexOf(':') + 1));
  return size > 8 || [1, 2, 4, 8].every((known) => known !== size) ? `struct:${size}` : `u${8 * size}`;
}
