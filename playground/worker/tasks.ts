/** Every task by its name. A new one is a file beside the view that needs it, and a line here. */
import { analyse } from '../checkpoints/analysis-task.ts';
import { openImagesTask } from '../checkpoints/images-task.ts';
import { savedCheckpoint } from '../checkpoints/made.ts';
import { openCheckpoints } from '../checkpoints/open-task.ts';
import { storyCheckpoint } from '../story/checkpoint-task.ts';
import { classify } from '../story/classify-task.ts';
import { runStory } from '../story/story-task.ts';
import { adapter } from './adapter-task.ts';

export const tasks = {
  adapter,
  analyse,
  classify,
  openCheckpoints,
  openImages: openImagesTask,
  savedCheckpoint,
  story: runStory,
  storyCheckpoint,
};

export type Tasks = typeof tasks;
