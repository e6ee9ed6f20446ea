/** Orders the test files of a run. */
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { NAMES } from "./projects.mts";

/** The projects, those with the longest files first. Files of one project follow each other, so that they can share processes. */
const ORDER: readonly string[] = NAMES.toReversed();

/**
 * Starts the projects with the longest files first, so that all workers end at about the same time. Within a project, vitest first
 * starts the files that took longest in the previous run or, in a fresh clone, the largest files.
 */
export default class Sequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- this method belongs to vitest
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => ORDER.indexOf(a.project.name) - ORDER.indexOf(b.project.name));
  }
}
