/** What names stand for, in a template. */
type Values = Readonly<Record<string, number | boolean>>;

/**
 * Writes out the repetitions that WGSL cannot say: a register tile is many named variables, since arrays that are indexed by a
 * variable do not live in registers.
 *
 * A line `// {{for i < 8}}` repeats the lines up to its `// {{end}}` with {i} replaced by 0 .. 7; {...} may hold a sum, product,
 * quotient or remainder of such names and integers, computed from left to right: {j*4+1}. A line `// {{if NAME}}` keeps the lines
 * up to its `// {{end}}` only where NAME is true or, as an expression, not 0. Bounds and names are given by the caller. Lines of comment
 * stay as they are. What follows an `end` too many is lost: tests compile every kernel.
 */
export function expand(text: string, values: Values): string {
  return expandBlock(text.split('\n'), 0, values).output.join('\n');
}

const DIRECTIVE = /^\s*\/\/ \{\{(?:(?:for (\w+) <|if) ([\w+*/%]+)|(end))\}\}\s*$/;

function expandBlock(
  lines: readonly string[],
  start: number,
  values: Values,
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
    const [, variable, expression, end] = directive;
    if (end) return { output, next: i };
    const value = evaluate(expression!, values);
    const times = variable ? value : Math.min(value, 1);
    let next = i;
    for (let turn = 0; turn < Math.max(1, times); turn++) {
      // a block that is left out is still walked once, to find its end
      const inner = expandBlock(lines, i + 1, variable ? { ...values, [variable]: turn } : values);
      if (inner.next === lines.length) throw new SyntaxError(`template: line ${i + 1} has no end`);
      if (turn < times) output.push(...inner.output);
      next = inner.next + 1;
    }
    i = next;
  }
  return { output, next: i };
}

function fill(line: string, values: Values): string {
  return line.replace(/\{([\w+*/%]+)\}/g, (_, expression: string) => String(evaluate(expression, values)));
}

function lookUp(name: string, values: Values): number {
  const value = /^\d+$/.test(name) ? Number(name) : values[name];
  if (value === undefined) throw new SyntaxError(`template: no value for ${name}`);
  return Number(value);
}

function evaluate(expression: string, values: Values): number {
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
