/**
 * Rules about our own sources that no general linter knows: who may import whom (docs/architecture.md), no import circles,
 * and no mathematics whose bits differ between JavaScript engines. They work on text, so that a test can show them failing.
 */

import { posix } from 'node:path';
import ts from 'typescript';

/** Sources by path from the repository's root, such as `src/nn/graph.ts`. */
export type Sources = ReadonlyMap<string, string>;

/** What each folder of `src` may import besides itself. Files right in `src` (the entries) may import all. */
const mayImport: Record<string, readonly string[]> = {
  base: [],
  io: ['base'],
  runtime: ['base'],
  kernels: ['base', 'runtime'],
  selfpaced: ['base', 'runtime', 'kernels', 'io', 'report'],
  nn: ['base', 'runtime', 'kernels', 'selfpaced', 'io', 'report'],
  rebasin: ['base', 'runtime', 'kernels', 'nn', 'io', 'report'],
  report: [],
  studies: ['base', 'runtime', 'kernels', 'nn', 'rebasin', 'io', 'report'],
  commands: ['base', 'runtime', 'kernels', 'nn', 'rebasin', 'io', 'report'],
  cli: ['commands', 'base', 'runtime', 'kernels', 'nn', 'rebasin', 'selfpaced', 'studies', 'io', 'report'],
};

/** The one file that names the package `webgpu`. */
const nodePlatform = 'src/runtime/platform-node.ts';

/** What the page imports beside its own files: the library by its name as any user does, the report's view, and plots. */
const pageMayImport = [/^rebasin$/, /^@observablehq\/plot$/, /^src\/report\//];

/** Files that only Node loads: their name or folder says so. All others run in a browser as well. */
const nodeOnly = [/\/node\//, /\/node-[^/]+\.ts$/, /-node\.ts$/, /^src\/cli\//];

interface Import {
  specifier: string;
  typeOnly: boolean;
}

/** Imports that the architecture forbids, one line each. */
export function forbiddenImports(sources: Sources): string[] {
  return [...sources].flatMap(([path, text]) =>
    importsOf(path, text).flatMap((found) => {
      const reason = whyForbidden(path, found);
      return reason === undefined ? [] : [`${path} imports ${found.specifier}: ${reason}`];
    }),
  );
}

function whyForbidden(path: string, { specifier, typeOnly }: Import): string | undefined {
  if (path.startsWith('playground/')) {
    const target = specifier.startsWith('.') ? resolveImport(path, specifier) : specifier;
    const isAllowed =
      target.startsWith('playground/') || pageMayImport.some((pattern) => pattern.test(target));
    return isAllowed ? undefined : 'the page imports the library by its name, rebasin, and src/report';
  }
  const forNode = nodeOnly.some((pattern) => pattern.test(path));
  if (!specifier.startsWith('.')) {
    if (specifier === 'webgpu' && path !== nodePlatform)
      return `only ${nodePlatform} names the package webgpu`;
    if (specifier.startsWith('node:') && !forNode)
      return 'this file also runs in browsers, which have no node: modules';
    return undefined;
  }
  const target = resolveImport(path, specifier);
  if (!target.startsWith('src/')) return 'it lies outside src';
  if (nodeOnly.some((pattern) => pattern.test(target)) && !forNode)
    return 'it is for Node, and this file also runs in browsers';

  if (target === 'src/version.ts') return undefined; // one constant, for all
  const [from, to] = [folderOf(path), folderOf(target)];
  if (from === undefined || from === to || target.endsWith('.d.ts')) return undefined;
  if (from === 'report') return typeOnly ? undefined : 'report knows nothing but types: use `import type`';
  const allowed = mayImport[from];
  if (allowed === undefined) return `the folder src/${from} has no rule yet: add it to mayImport`;
  if (to === undefined) return `files right in src are entries, for users; import from where it is defined`;
  return allowed.includes(to) ? undefined : `${from} may import ${allowed.join(', ') || 'nothing'}`;
}

/** Import circles, each once as `a -> b -> a`. Imports of types alone do not count: they are gone when the code runs. */
export function importCircles(sources: Sources): string[] {
  const circles = new Map<string, string>();
  const finished = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      const circle = trail.slice(start);
      circles.set([...circle].sort().join(), [...circle, path].join(' -> '));
      return;
    }
    if (finished.has(path)) return;
    for (const { specifier, typeOnly } of importsOf(path, sources.get(path)!)) {
      const target = specifier.startsWith('.') ? resolveImport(path, specifier) : '';
      if (!typeOnly && sources.has(target)) visit(target, [...trail, path]);
    }
    finished.add(path);
  };
  for (const path of sources.keys()) visit(path, []);
  return [...circles.values()];
}

/** Members of `Math` that give the same bits everywhere: exact, or correctly rounded by IEEE 754, or constants. */
const exactMath = new Set([
  ...['abs', 'ceil', 'clz32', 'floor', 'fround', 'imul', 'max', 'min', 'round', 'sign', 'sqrt', 'trunc'],
  ...['E', 'LN2', 'LN10', 'LOG2E', 'LOG10E', 'PI', 'SQRT1_2', 'SQRT2'],
]);

/** Uses of mathematics that differs between JavaScript engines or runs, one line each. Views and printing may use it. */
export function inexactMath(sources: Sources): string[] {
  return [...sources].flatMap(([path, text]) => {
    if (path.startsWith('src/report/') || path.startsWith('src/cli/')) return [];
    const file = parse(path, text);
    const found: string[] = [];
    const report = (node: ts.Node, what: string) => {
      const line = file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
      found.push(`${path}:${line}: ${what}`);
    };
    const visit = (node: ts.Node): void => {
      if (ts.isIdentifier(node) && node.text === 'Math' && !isMemberName(node)) {
        const access = node.parent;
        const member = ts.isPropertyAccessExpression(access) ? access.name.text : undefined;
        if (member === undefined)
          report(node, 'use Math only as Math.<name>, so that this rule can see what is used');
        else if (!exactMath.has(member)) {
          report(
            node,
            `Math.${member} differs between JavaScript engines; use src/base/portable.ts or src/base/random.ts`,
          );
        }
      }
      const power = ts.SyntaxKind.AsteriskAsteriskToken;
      const assigned = ts.SyntaxKind.AsteriskAsteriskEqualsToken;
      if (ts.isBinaryExpression(node) && [power, assigned].includes(node.operatorToken.kind)) {
        if (!isInteger(node.left) || !isInteger(node.right)) {
          report(node, '** differs between JavaScript engines; multiply, or use src/base/portable.ts');
        }
      }
      ts.forEachChild(node, visit);
    };
    visit(file);
    return found;
  });
}

/** The `Math` of `x.Math`, which is somebody else's. */
function isMemberName(node: ts.Identifier): boolean {
  return ts.isPropertyAccessExpression(node.parent) && node.parent.name === node;
}

function isInteger(node: ts.Expression): boolean {
  return ts.isNumericLiteral(node) && Number.isInteger(Number(node.text));
}

function importsOf(path: string, text: string): Import[] {
  const imports: Import[] = [];
  const add = (node: ts.Node | undefined, typeOnly: boolean) => {
    if (node && ts.isStringLiteralLike(node)) imports.push({ specifier: node.text, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeOnly(node.importClause));
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node.argument.literal, true);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], false);
    ts.forEachChild(node, visit);
  };
  visit(parse(path, text));
  return imports;
}

function isTypeOnly(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false; // import './x.ts' runs it
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const named = clause.namedBindings;
  const onlyNames = clause.name === undefined && named !== undefined && ts.isNamedImports(named);
  return onlyNames && named.elements.length > 0 && named.elements.every((element) => element.isTypeOnly);
}

const parse = (path: string, text: string): ts.SourceFile =>
  ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);

const resolveImport = (path: string, specifier: string): string => posix.join(posix.dirname(path), specifier);

/** `nn` of `src/nn/ops/add.ts`, undefined for files right in `src`. */
function folderOf(path: string): string | undefined {
  const parts = path.split('/');
  return parts.length > 2 ? parts[1] : undefined;
}
