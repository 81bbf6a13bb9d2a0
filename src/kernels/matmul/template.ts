/**
 * Writes out the repetitions that WGSL cannot say: a register tile is many named variables, since arrays that are indexed by a
 * variable do not live in registers.
 *
 * A line `// {{for i < 8}}` repeats the lines up to its `// {{end}}` with {i} replaced by 0 .. 7; {...} may hold a sum, product,
 * quotient or remainder of such names and integers, computed from left to right: {j*4+1}. A line `// {{if NAME}}` keeps the lines
 * up to its `// {{end}}` only where NAME is true or, as an expression, not 0. Bounds and names are given by the caller. Lines of comment stay as they are.
 */
export function expand(text: string, values: Readonly<Record<string, number | boolean>>): string {
  const lines = text.split('\n');
  const { output, next } = expandBlock(lines, 0, { ...values });
  if (next < lines.length)
    throw new SyntaxError(`template: line ${next + 1} closes a block that is not open`);
  return output.join('\n');
}

const DIRECTIVE = /^\s*\/\/ \{\{(?:for (\w+) < (\w+)|if ([\w+*/%]+)|(end))\}\}\s*$/;

function expandBlock(
  lines: readonly string[],
  start: number,
  values: Record<string, number | boolean>,
): { output: string[]; next: number } {
  const output: string[] = [];
  let i = start;
  while (i < lines.length) {
    const line = lines[i]!;
    const directive = DIRECTIVE.exec(line);
    if (!directive) {
      output.push(/^\s*\/\//.test(line) ? line : fill(line, values));
      i++;
      continue;
    }
    const [, variable, bound, condition, end] = directive;
    if (end) return { output, next: i };
    const times = variable ? evaluate(bound!, values) : evaluate(condition!, values) ? 1 : 0;
    let next = i;
    for (let turn = 0; turn < Math.max(1, times); turn++) {
      // a block that is left out is still walked once, to find its end
      const inner = expandBlock(lines, i + 1, variable ? { ...values, [variable]: turn } : values);
      if (inner.next === lines.length)
        throw new SyntaxError(`template: line ${i + 1} opens a block that never ends`);
      if (turn < times) output.push(...inner.output);
      next = inner.next + 1;
    }
    i = next;
  }
  return { output, next: i };
}

function fill(line: string, values: Readonly<Record<string, number | boolean>>): string {
  return line.replace(/\{([\w+*/%]+)\}/g, (_, expression: string) => String(evaluate(expression, values)));
}

function lookUp(name: string, values: Readonly<Record<string, number | boolean>>): number {
  const value = /^\d+$/.test(name) ? Number(name) : values[name];
  if (value === undefined) throw new SyntaxError(`template: no value for "${name}"`);
  return Number(value);
}

function evaluate(expression: string, values: Readonly<Record<string, number | boolean>>): number {
  const [first, ...rest] = expression.split(/([+*/%])/);
  let result = lookUp(first!, values);
  for (let i = 0; i < rest.length; i += 2) {
    const operand = lookUp(rest[i + 1]!, values);
    if (rest[i] === '+') result += operand;
    else if (rest[i] === '*') result *= operand;
    else if (rest[i] === '/') result = Math.floor(result / operand);
    else result %= operand;
  }
  return result;
}
