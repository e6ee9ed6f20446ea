import { BaseSequencer, type TestSpecification } from "vitest/node";
import { NAMES } from "./projects.mts";

/** Of projects, those with the longest files first. Files of one project follow one another, and share processes. */
const ORDER: readonly string[] = NAMES.toReversed();

/**
 * Starts the projects with the longest files first, so that all workers end at about the same time. Of a project vitest starts
 * the files first that took longest the last time, in a fresh clone the largest.
 */
export default class Sequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- vitest's own method
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => ORDER.indexOf(a.project.name) - ORDER.indexOf(b.project.name));
  }
}
