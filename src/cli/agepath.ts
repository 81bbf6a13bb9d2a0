/** `rebasin agepath`: the path of self-paced solutions in the age, beside a grid of ages. */
import { basename } from 'node:path';
import { type Command, Option } from 'commander';
import { DataError, OptionError } from '../base/errors.ts';
import { completeResult } from '../commands/complete-result.ts';
import { readBytes } from '../io/node-files.ts';
import { parseCsv, parseLibsvm, type Table } from '../io/table.ts';
import type { AgePathResult } from '../report/age-path-result.ts';
import { agePathHeadline, agePathTable } from '../report/age-path-summary.ts';
import { type AgePath, agePath } from '../selfpaced/age-path.ts';
import { fullFit, searchGrid } from '../selfpaced/alternating-search.ts';
import { EXAMPLE_DATA, type ExampleDataName, exampleData } from '../selfpaced/example-data.ts';
import { gramOnGpu } from '../selfpaced/gpu-gram.ts';
import type { Kernel } from '../selfpaced/kernel.ts';
import { lasso } from '../selfpaced/lasso.ts';
import { logisticRegression } from '../selfpaced/logistic-regression.ts';
import { drawnAges, type HeldOut, heldOutError, logarithmicGrid } from '../selfpaced/path-curves.ts';
import type { SelfPacedProblem } from '../selfpaced/problem.ts';
import {
  REGULARISER_NAMES,
  type RegulariserName,
  type SelfPacedRegulariser,
  selfPacedRegulariser,
} from '../selfpaced/regularisers.ts';
import { type Part, splitTable } from '../selfpaced/split-table.ts';
import { supportVectorMachine } from '../selfpaced/support-vector-machine.ts';
import {
  type AdapterOptionValues,
  nonNegative,
  pointCount,
  positiveInteger,
  positiveNumber,
  withAdapterOptions,
  withSeedOption,
} from './options.ts';
import { prepareReport, printResult, writeReport } from './output.ts';
import { startProgress } from './progress.ts';
import { withContext } from './session.ts';

interface AgePathCommandOptions extends AdapterOptionValues {
  readonly data: string;
  readonly target?: string;
  readonly samples: number;
  readonly problem?: SelfPacedProblem['name'];
  readonly regulariser: RegulariserName;
  readonly exponent?: number;
  readonly scale?: number;
  readonly from?: number;
  readonly to?: number;
  readonly kernel: Kernel['kind'];
  readonly gamma?: number;
  readonly gram: 'host' | 'gpu';
  readonly cost: number;
  readonly penalty: number;
  readonly ridge: number;
  readonly holdOut: number;
  readonly flip: number;
  readonly grid: number;
  readonly seed: number;
  readonly out?: string;
}

/** Points of the curves that are drawn, and most of the samples whose margins are. */
const DRAWN_AGES = 240;
const MOST_MARGINS = 40;

export function registerAgePath(program: Command): void {
  const command = program
    .command('agepath')
    .description(
      'Self-paced learning at every age: the whole path, its jumps, and its held-out error beside a grid.',
    )
    .option('--data <file>', `a .csv or LIBSVM file, or built in: ${EXAMPLE_DATA.join(', ')}`, 'outliers')
    .option('--target <column>', 'of a CSV file: name or number of the column to predict (default: the last)')
    .option('--samples <n>', 'of built-in data', positiveInteger, 200)
    .addOption(
      new Option('--problem <kind>', 'what is fitted (default: lasso, or svm for two target values)').choices(
        ['svm', 'lasso', 'logistic'],
      ),
    )
    .addOption(
      new Option('--regulariser <name>', 'how weights follow from losses')
        .choices(REGULARISER_NAMES)
        .default('linear'),
    )
    .option('--exponent <t>', 'of the polynomial regulariser, above 1 (default: 1.5)', positiveNumber)
    .option('--scale <g>', 'of the mixture regulariser (default: 1)', positiveNumber)
    .option('--from <age>', 'first age (default: by the losses of ordinary training)', positiveNumber)
    .option('--to <age>', 'last age; below --from the path runs downwards', positiveNumber)
    .addOption(new Option('--kernel <kind>', 'of svm').choices(['rbf', 'linear']).default('rbf'))
    .option('--gamma <number>', 'of the rbf kernel (default: 1 / features)', positiveNumber)
    .addOption(
      new Option(
        '--gram <where>',
        'where the kernel matrix of svm is computed, to float64 on both: gpu is for samples of hundreds of features and a real GPU',
      )
        .choices(['host', 'gpu'])
        .default('host'),
    )
    .option('--cost <number>', 'of svm: what a loss costs', positiveNumber, 1)
    .option('--penalty <number>', 'of lasso (l1) and logistic (l2)', nonNegative, 1)
    .option('--ridge <number>', 'of lasso: an l2 penalty besides', nonNegative, 0)
    .option('--hold-out <part>', 'part of the samples to evaluate on', nonNegative, 0.3)
    .option('--flip <part>', 'part of the training labels to turn round', nonNegative, 0)
    .option('--grid <n>', 'ages of the grid to compare with', pointCount, 50)
    .option('--out <path>', 'a folder for result.json and index.html, or a .json file');
  withSeedOption(withAdapterOptions(command)).action(runAgePath);
}

async function runAgePath(options: AgePathCommandOptions): Promise<void> {
  const started = performance.now();
  const { data, seed, holdOut, flip } = options;
  const regulariser = selfPacedRegulariser(options.regulariser, {
    ...(options.exponent === undefined ? {} : { exponent: options.exponent }),
    ...(options.scale === undefined ? {} : { scale: options.scale }),
  });
  const table = await readTable(options);
  const kind = options.problem ?? (new Set(table.targets).size === 2 ? 'svm' : 'lasso');
  if (options.gram === 'gpu' && kind !== 'svm')
    throw new OptionError(`--gram gpu: expected with --problem svm, got ${kind}; leave it out`);
  // Logistic regression gets its intercept as a constant feature; lasso is centred, svm has an offset.
  const split = splitTable(table, {
    holdOut,
    flip,
    seed,
    classes: kind !== 'lasso',
    constant: kind === 'logistic',
  });
  if (options.out) await prepareReport(options.out);
  const { problem, settings, adapterName } = await makeProblem(kind, split.train, split.columns, options);
  const plain = fullFit(problem);
  const { from, to } = agesOf(options, regulariser, problem, plain);

  const progress = startProgress('age path', 1);
  const pathStarted = performance.now();
  const path = agePath(problem, regulariser, {
    from,
    to,
    onProgress: ({ age }) => progress.update(Math.min(1, Math.log(age / from) / Math.log(to / from || 2))),
  });
  const pathSeconds = (performance.now() - pathStarted) / 1000;
  progress.stop();
  const gridStarted = performance.now();
  const grid = searchGrid(problem, regulariser, { ages: logarithmicGrid(from, to, options.grid) });
  const gridSeconds = (performance.now() - gridStarted) / 1000;

  const names = [...table.names, ...(kind === 'logistic' ? ['constant'] : [])];
  const { ages, breaks } = drawnAges(path, DRAWN_AGES);
  const points = ages.map((age) => path.at(age));
  const heldOut: HeldOut = { features: split.test.features, targets: split.test.targets };
  const error = heldOutError(problem, heldOut);
  const errors = (solved: readonly { readonly solution: Float64Array }[]) =>
    solved.map(({ solution }) => error(solution));
  const fields = {
    problem: kind,
    regulariser: options.regulariser,
    settings,
    data: {
      name: basename(data),
      train: split.train.targets.length,
      heldOut: split.test.targets.length,
      features: table.columns,
    },
    from,
    to,
    events: path.events,
    curves: { ...seriesOf(problem, points, split.train, names), age: ages, breaks },
    weight: points.map(({ weights }) => weights.reduce((sum, each) => sum + each, 0)),
    ...(heldOut.targets.length === 0
      ? {}
      : {
          heldOut: {
            measure: kind === 'lasso' ? ('mean absolute error' as const) : ('error rate' as const),
            plain: error(plain),
            path: { age: ages, error: errors(points) },
            grid: { age: grid.solutions.map(({ age }) => age), error: errors(grid.solutions) },
          },
        }),
  };
  const { linearSolves, steps, segments, jumps } = path.statistics;
  const residual = path.points().reduce((largest, point) => Math.max(largest, point.residual), 0);
  const result: AgePathResult = {
    ...completeResult(
      { adapterName },
      'agepath',
      seed,
      started,
      { settings, table: [...table.targets] },
      fields,
    ),
    path: { linearSolves, seconds: pathSeconds, steps, segments, jumps, residual },
    grid: {
      linearSolves: grid.work.linearSolves,
      seconds: gridSeconds,
      ages: grid.solutions.length,
      rounds: grid.work.rounds,
      converged: grid.solutions.filter(({ converged }) => converged).length,
    },
  };
  const written = options.out ? await writeReport(options.out, result) : [];
  printResult(options.json, result, [
    agePathHeadline(result),
    '',
    agePathTable(result),
    '',
    `data        ${result.data.name}: ${result.data.train} to train, ${result.data.heldOut} held out`,
    `residual    ${residual.toExponential(1)}`,
    `hash        ${result.hash}`,
    ...written.map((file) => `written     ${file}`),
  ]);
}

async function readTable({ data, target, samples, seed }: AgePathCommandOptions): Promise<Table> {
  if (EXAMPLE_DATA.includes(data as ExampleDataName)) {
    if (target !== undefined)
      throw new OptionError('--target: expected with a CSV file, got built-in data; leave it out');
    return exampleData(data as ExampleDataName, samples, seed);
  }
  const text = new TextDecoder().decode(await readBytes(data));
  if (/\.csv$/i.test(data)) return parseCsv(text, target, data);
  if (target !== undefined)
    throw new OptionError(`--target: expected with a .csv file, got ${data}; leave it out`);
  return parseLibsvm(text, data);
}

async function makeProblem(
  kind: SelfPacedProblem['name'],
  { features, targets }: Part,
  columns: number,
  options: AgePathCommandOptions,
): Promise<{ problem: SelfPacedProblem; settings: Record<string, number | string>; adapterName: string }> {
  const { penalty, ridge, cost } = options;
  const adapterName = 'none (float64 on the CPU)';
  if (kind === 'lasso') {
    return {
      problem: lasso({ features, targets, penalty, ridge }),
      settings: { penalty, ridge },
      adapterName,
    };
  }
  if (kind === 'logistic') {
    const problem = logisticRegression({ features, labels: targets, penalty });
    return { problem, settings: { penalty }, adapterName };
  }
  const kernel: Kernel =
    options.kernel === 'rbf' ? { kind: 'rbf', gamma: options.gamma ?? 1 / columns } : { kind: 'linear' };
  const machine = { features, labels: targets, kernel, cost };
  const settings = { cost, kernel: kernel.kind, ...(kernel.kind === 'rbf' ? { gamma: kernel.gamma } : {}) };
  if (options.gram === 'host') return { problem: supportVectorMachine(machine), settings, adapterName };
  return await withContext(options, async (context) => ({
    problem: supportVectorMachine({
      ...machine,
      gram: await gramOnGpu(context, { ...machine, samples: targets.length }),
    }),
    settings: { ...settings, gram: 'gpu' },
    adapterName: context.adapterName,
  }));
}

/** Where the user did not say: from where half of the samples of ordinary training count to where nearly all do in full. */
function agesOf(
  { from, to }: AgePathCommandOptions,
  regulariser: SelfPacedRegulariser,
  problem: SelfPacedProblem,
  plain: Float64Array,
): { from: number; to: number } {
  if (regulariser.ageLimit === 1) return { from: from ?? 0.2, to: to ?? 0.97 };
  const losses = problem.losses(plain).sort();
  const [median, largest] = [losses[losses.length >> 1]!, losses[losses.length - 1]!];
  if (!(largest > 0)) {
    if (from !== undefined && to !== undefined) return { from, to };
    throw new DataError(
      'agepath: every loss of ordinary training is 0, so no age tells samples apart. Give --from and --to',
    );
  }
  const scale = problem.name === 'svm' ? 1 : Math.max(median, 1e-3 * largest);
  const { ageDropping } = regulariser;
  return { from: from ?? ageDropping(1.2 * scale), to: to ?? ageDropping(8 * Math.max(largest, scale)) };
}

function seriesOf(
  problem: SelfPacedProblem,
  points: ReturnType<AgePath['at']>[],
  train: Part,
  names: readonly string[],
): Pick<AgePathResult['curves'], 'quantity' | 'series'> {
  if (problem.name !== 'svm') {
    const series = names.map((name, j) => ({ name, values: points.map(({ solution }) => solution[j]!) }));
    return { quantity: 'coefficient', series };
  }
  const columns = train.features.length / train.targets.length;
  const count = Math.min(MOST_MARGINS, train.targets.length);
  const rows = train.features.subarray(0, count * columns);
  const predict = problem.predictor(rows);
  const scores = points.map(({ solution }) => predict(solution));
  const series = Array.from({ length: count }, (_, i) => ({
    name: `sample ${i}`,
    values: scores.map((each) => each[i]! * train.targets[i]!),
  }));
  return { quantity: 'margin', series };
}
