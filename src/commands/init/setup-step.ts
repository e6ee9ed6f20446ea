import { join } from "node:path";
import type { Context } from "../../core/context.ts";
import type { TargetFile } from "../parts/project-files.ts";
import { projectRoot } from "../parts/project-root.ts";

/**
 * Work on one file of the project, which `init` does itself (`create`, `edit`), prints for the user (`advise`), or does if the
 * user agrees (`offer`).
 */
export type SetupStep = { readonly file: string; readonly remark?: string | undefined } & (
  | { readonly kind: "create"; readonly text: string }
  /** `written` are the lines of `text` that are new. */
  | { readonly kind: "edit"; readonly text: string; readonly written: readonly string[] }
  /** Lines for the user to add, or to run if the title asks for that. */
  | { readonly kind: "advise"; readonly title?: string; readonly lines: readonly string[] }
  | OfferedChange
  /** The file uses sophia-run already. */
  | { readonly kind: "ready" }
);

interface OfferedChange {
  readonly kind: "offer";
  readonly title?: string;
  /** The new lines, and those that they replace. */
  readonly lines: readonly string[];
  readonly replaced: readonly string[];
  /** Returns the text with the change; undefined if the file is not as it was when the change was made up. */
  readonly edit: (text: string) => string | undefined;
  /** It makes npm scripts start the executable, which only some projects want. */
  readonly isLink: boolean;
}

export type Offer = Extract<SetupStep, { readonly kind: "offer" }>;

export function impossible(file: string, reason: string): SetupStep {
  return { kind: "advise", file, title: `not created because ${reason}`, lines: [] };
}

export function targetFile(name: string, { project }: Context): TargetFile {
  return { path: join(project, name), name, root: projectRoot(project) };
}
