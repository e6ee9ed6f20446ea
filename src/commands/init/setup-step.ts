/** The steps of which `init` is made: each is the work on one file of the project. setup.ts collects them. */
import { join } from "node:path";
import type { Context } from "../../core/context.ts";
import type { TargetFile } from "../parts/project-files.ts";
import { projectRoot } from "../parts/project-root.ts";

/**
 * Work on one file of the project. `init` does it by itself (`create`, `edit`), prints it for the user (`advise`), or does it if
 * the user agrees (`offer`).
 */
export type SetupStep = { readonly file: string; readonly remark?: string | undefined } & (
  | { readonly kind: "create"; readonly text: string }
  /** `text` is the whole new text, and `written` the lines of it that are new. */
  | { readonly kind: "edit"; readonly text: string; readonly written: readonly string[] }
  /** The user must add the lines, or run them if the title says so. */
  | { readonly kind: "advise"; readonly title?: string; readonly lines: readonly string[] }
  | OfferedChange
  /** The file uses sophia-run already. */
  | { readonly kind: "ready" }
);

interface OfferedChange {
  readonly kind: "offer";
  readonly title?: string;
  /** The lines that the change adds. */
  readonly lines: readonly string[];
  /** The lines that the change removes. */
  readonly replaced: readonly string[];
  /** Returns the text with the change; undefined if the text is no longer the one for which the change was made. */
  readonly edit: (text: string) => string | undefined;
  /** The change makes npm scripts start the executable, which only some projects want. So `--link` agrees to it, not `--yes`. */
  readonly isLink: boolean;
}

export type Offer = Extract<SetupStep, { readonly kind: "offer" }>;

/** Returns a step that tells the user why a file is not created. */
export function notCreatedStep(file: string, reason: string): SetupStep {
  return { kind: "advise", file, title: `not created because ${reason}`, lines: [] };
}

/** Returns a file of the project as the functions that write files take it. */
export function targetFile(name: string, { project }: Context): TargetFile {
  return { path: join(project, name), name, root: projectRoot(project) };
}
