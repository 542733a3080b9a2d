import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { EngineError } from '../../engine/base/errors';
import type { ExampleView } from '../../shared/contract';

const indexSchema = v.array(
  v.looseObject({
    id: v.string(),
    title: v.string(),
    file: v.string(),
    program: v.string(),
    description: v.string(),
    hint: v.string(),
    input: v.optional(v.object({ data: v.optional(v.string()), ctx: v.optional(v.string()) })),
  }),
);

/** The examples of the start page, from examples/index.json. */
export class Examples {
  constructor(private readonly dir: string) {}

  async list(): Promise<ExampleView[]> {
    return (await this.index()).map(({ id, title, program, description, hint, input }) => ({
      id,
      title,
      program,
      description,
      hint,
      ...(input && { inputs: input }),
    }));
  }

  /** The object file of an example. @throws EngineError `usage/example` */
  async file(id: string): Promise<string> {
    const example = (await this.index()).find((entry) => entry.id === id);
    if (!example) throw new EngineError('usage/example', `There is no example '${id}'.`, { id });
    return path.join(this.dir, path.basename(example.file));
  }

  private async index() {
    return v.parse(indexSchema, JSON.parse(await readFile(path.join(this.dir, 'index.json'), 'utf8')));
  }
}
