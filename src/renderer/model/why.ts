/** A reason as the debugger words it: `rule/name: sentence`, or a sentence alone. */
export interface Why {
  readonly name: string;
  readonly text: string;
}

export function splitWhy(why: string): Why {
  const match = /^([a-z0-9][a-z0-9/_-]*): (.*)$/s.exec(why);
  return match ? { name: match[1] ?? '', text: match[2] ?? '' } : { name: '', text: why };
}
