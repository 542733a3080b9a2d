import { EngineError } from '../../engine/base/errors';
import type { Failure } from '../../shared/contract';

/**
 * What a request answers when it went wrong. An EngineError keeps its code, sentence and data; anything else is a
 * defect of ours and says so, with its message.
 */
export function toFailure(error: unknown): Failure {
  if (error instanceof EngineError) {
    const data = Object.fromEntries(
      Object.entries(error.data).map(([key, value]) => [
        key,
        typeof value === 'bigint' ? `0x${value.toString(16)}` : value,
      ]),
    );
    return { code: error.code, message: error.message, data };
  }
  const text = error instanceof Error ? error.message : String(error);
  return {
    code: 'usage/internal',
    message: `Hartbeat itself failed: ${text}. Please report this with the object that you opened.`,
    data: error instanceof Error && error.stack ? { stack: error.stack } : {},
  };
}
