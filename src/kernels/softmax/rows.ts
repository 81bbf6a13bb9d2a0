/** What the kernels of this folder share: logits [rows, classes], 64 rows a workgroup, one invocation a row. */
import { ShapeError } from '../../base/errors.ts';
import {
  type Dispatch,
  elementCount,
  type Kernel,
  linearGrid,
  type TensorView,
} from '../../runtime/kernel.ts';
import { checkSeparate, checkView } from '../checks.ts';

/** Rows and classes of logits. @throws ShapeError unless they are f32 [N, C] with at least one class. */
export function checkLogits(caller: string, logits: TensorView): { rows: number; classes: number } {
  const [rows, classes] = logits.shape;
  if (logits.shape.length !== 2 || rows === undefined || classes === undefined || classes === 0) {
    throw new ShapeError(
      `${caller}: logits must be [N, C] with at least one class, got shape [${logits.shape}]; reshape the view`,
    );
  }
  checkView(caller, 'logits', logits, 'f32', rows * classes);
  return { rows, classes };
}

/**
 * One dispatch of a row kernel that binds its inputs in their order, then its output. The output is f32 of `outputCount` elements.
 * None when there are no rows.
 */
export function rowDispatch(
  caller: string,
  kernel: Kernel,
  inputs: Readonly<Record<string, TensorView>>,
  output: TensorView,
  outputCount: number,
  rows: number,
  params: Uint8Array,
): Dispatch[] {
  checkView(caller, 'output', output, 'f32', outputCount);
  checkSeparate(caller, { output }, inputs);
  if (rows === 0) return [];
  return [
    {
      kernel,
      views: [...Object.values(inputs), output],
      params,
      workgroups: linearGrid(Math.ceil(rows / 64)),
      work: 16 * elementCount(inputs.logits!.shape),
    },
  ];
}
