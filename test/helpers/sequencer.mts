import { join, relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { LONGEST, NAMES } from "./projects.mts";

/** Of projects, those with the longest files first. Files of one project follow one another, and share processes. */
const ORDER: readonly string[] = NAMES.toReversed();

/** Starts what takes longest first, so that all workers end at about the same time. */
export default class Sequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- vitest's own method
    const sorted = await super.sort(files);
    return sorted.toSorted(
      (a, b) => ORDER.indexOf(a.project.name) - ORDER.indexOf(b.project.name) || rank(a) - rank(b),
    );
  }
}

function rank({ moduleId }: TestSpecification): number {
  const index = LONGEST.indexOf(relative(join(import.meta.dirname, "../.."), moduleId));
  return index === -1 ? LONGEST.length : index;
}
