/** wgsl_reflect in Node: its bare import fails there, and the file that works has no types of its own. */
import type * as reflect from 'wgsl_reflect';
// @ts-expect-error -- no declaration file at this path; the types are those of the package
import * as untyped from 'wgsl_reflect/wgsl_reflect.module.js';

export const { ResourceType, WgslReflect, detectRaces } = untyped as typeof reflect;
