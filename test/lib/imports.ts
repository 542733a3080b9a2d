import { readFileSync } from 'node:fs';
import ts from 'typescript';

/** One import or re-export of a source file. */
export interface Import {
  readonly source: string;
  /** Nothing of it is there at run time. */
  readonly typeOnly: boolean;
}

/** Everything that a TypeScript file, or the script of a Vue component, imports: also by import() and as a type. */
export function importsOf(file: string): readonly Import[] {
  const text = scriptOf(file, readFileSync(file, 'utf8'));
  const found: Import[] = [];
  const add = (source: ts.Node | undefined, typeOnly: boolean): void => {
    if (source && ts.isStringLiteralLike(source)) found.push({ source: source.text, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    } else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node.argument.literal, true);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], false);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  return found;
}

function scriptOf(file: string, text: string): string {
  if (!file.endsWith('.vue')) return text;
  return [...text.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map(([, script]) => script).join('\n');
}

/** Groups of files that import each other in a circle. @param arrows where the imports of each file lead to */
export function circles(arrows: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const path: string[] = [];
  // Tarjan's strongly connected components.
  const visit = (file: string): void => {
    index.set(file, index.size);
    low.set(file, index.get(file)!);
    path.push(file);
    for (const to of arrows.get(file) ?? []) {
      if (!index.has(to)) visit(to);
      if (path.includes(to)) low.set(file, Math.min(low.get(file)!, low.get(to)!));
    }
    if (low.get(file) !== index.get(file)) return;
    const group = path.splice(path.indexOf(file));
    if (group.length > 1) found.push(group);
  };
  for (const file of arrows.keys()) if (!index.has(file)) visit(file);
  return found;
}
