/**
 * The type of a setup step: the work of `init` on one file of the project, such as its Dockerfile. setup.ts collects the
 * steps. init-outcome.ts and offers.ts perform them.
 */
import { join } from "node:path";
import type { Context } from "../../core/context.ts";
import type { TargetFile } from "../parts/project-files.ts";
import { findProjectRoot } from "../parts/project-root.ts";

/** The work on one file. The remark is printed in brackets below it. */
export type SetupStep = { readonly file: string; readonly remark?: string | undefined } & (
  | { readonly kind: "create"; readonly text: string }
  /** init replaces the file's text by `text`. `newLines` are the lines that the user should see. */
  | { readonly kind: "edit"; readonly text: string; readonly newLines: readonly string[] }
  /** init only prints the lines. The user must add them to the file, or run them if the title says so. */
  | { readonly kind: "advise"; readonly title?: string; readonly lines: readonly string[] }
  | OfferedChange
  /** The file uses sophia-run already. */
  | { readonly kind: "ready" }
);

/** A change that init makes if the user agrees, by an option or by an answer. */
interface OfferedChange {
  readonly kind: "offer";
  readonly title?: string;
  /** The lines that the change adds. */
  readonly lines: readonly string[];
  /** The lines that the change removes. */
  readonly replaced: readonly string[];
  /** Returns the text with the change; undefined if the text is no longer the one for which the change was made. */
  readonly edit: (text: string) => string | undefined;
  /**
   * True for the change that makes npm scripts start the executable. Only some projects want that, so the user agrees to it
   * by `--link` and not by `--yes`.
   */
  readonly isLink: boolean;
}

export type Offer = Extract<SetupStep, { readonly kind: "offer" }>;

/** Returns a step that tells the user why a file is not created. */
export function createRefusalStep(file: string, reason: string): SetupStep {
  return { kind: "advise", file, title: `not created because ${reason}`, lines: [] };
}

/** Returns the location of a project's file, for the functions of project-files.ts that write files. */
export function targetFile(name: string, { project }: Context): TargetFile {
  return { path: join(project, name), name, root: findProjectRoot(project) };
}
