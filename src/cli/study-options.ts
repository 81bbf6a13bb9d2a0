/** What `rebasin study` is told, and the studies and jobs that it comes to. */
import { OptionError } from '../base/errors.ts';
import type { JobSpec } from '../studies/job-spec.ts';
import { STUDIES } from '../studies/library/index.ts';
import { jobsOf, type StagedJob } from '../studies/run-job.ts';
import type { Study, StudySize } from '../studies/study.ts';
import type { AdapterOptionValues } from './options.ts';

export interface StudyOptions extends AdapterOptionValues {
  readonly small?: boolean;
  readonly large?: boolean;
  readonly cache: string;
  readonly data?: string;
  readonly list?: boolean;
  readonly job?: string;
  readonly collect?: boolean;
  readonly processes: number;
  readonly adapters?: readonly string[];
  readonly out?: string;
}

/** @throws OptionError when options contradict each other. */
export function checkStudyOptions(options: StudyOptions): void {
  const { list, job, collect, small, large, out, processes, adapter, adapters } = options;
  const ways = Object.entries({ '--list': list, '--job': job, '--collect': collect }).filter(([, on]) => on);
  if (ways.length > 1) throw new OptionError(`${ways.map(([name]) => name).join(' and ')}: give one of them`);
  if (small && large) throw new OptionError('--small and --large: give one of them');
  if (out && (list || job)) throw new OptionError('--out: a report is of whole studies; --collect makes it');
  if ((processes > 1 || adapters) && ways.length > 0)
    throw new OptionError(`--processes and --adapters run whole studies; leave out ${ways[0]![0]}`);
  if (adapter && adapters) throw new OptionError('--adapter and --adapters: give one of them');
}

export function sizeOf({ large }: StudyOptions): StudySize {
  return large ? 'large' : 'small';
}

/** @param name of a study, or `all`. @throws OptionError naming the studies that there are. */
export function studiesNamed(name: string): readonly Study[] {
  if (name === 'all') return STUDIES;
  const study = STUDIES.find((each) => each.name === name);
  if (study) return [study];
  throw new OptionError(
    `study: there is no "${name}"; expected all, ${STUDIES.map((each) => each.name).join(', ')}`,
  );
}

/** The jobs of studies, each once. */
export function jobsOfStudies(studies: readonly Study[], size: StudySize): StagedJob[] {
  const specs: JobSpec[] = studies.flatMap((study) => study.points(size).map(({ job }) => job));
  return jobsOf(specs);
}
