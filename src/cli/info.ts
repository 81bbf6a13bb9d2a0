/** `rebasin info`: which adapter was found, why, and what it can do. */
import type { Command } from 'commander';
import { VERSION } from '../version.ts';
import { type AdapterOptionValues, withAdapterOptions } from './options.ts';
import { printResult } from './output.ts';
import { withContext } from './session.ts';

/** The limits that decide what fits and which kernels run. */
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
] as const;

export function registerInfo(program: Command): void {
  const command = program
    .command('info')
    .description('Show which GPU adapter is used, why, its limits and features.');
  withAdapterOptions(command).action(async (options: AdapterOptionValues) => {
    await withContext(options, async (context) => {
      const { origin, device } = context;
      const limits = Object.fromEntries(LIMITS.map((name) => [name, device.limits[name]]));
      const result = {
        command: 'info',
        version: VERSION,
        adapter: context.adapterName,
        software: origin.software,
        source: origin.source,
        tried: origin.tried,
        limits,
        features: [...device.features].sort(),
      };
      printResult(options.json, result, [
        `rebasin ${VERSION}`,
        `adapter   ${result.adapter}${origin.software ? ' (computes on the CPU)' : ''}`,
        `found     ${result.source}`,
        ...result.tried.map((line) => `tried     ${line}`),
        ...Object.entries(limits).map(([name, value]) => `limit     ${name} = ${value}`),
        `features  ${result.features.join(', ') || 'none'}`,
      ]);
    });
  });
}
