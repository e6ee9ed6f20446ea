import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import type { Context } from "../../core/context.ts";
import { CONTRACT_FILE_NAME } from "../../contract/file-name.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { scanCode } from "./code.ts";
import { contractText } from "./contract.ts";
import { fromEsc } from "./esc.ts";
import { fromExample } from "./example.ts";
import { join as joinFound, type Found } from "./found.ts";
import { parseManifest, type Place, type Project } from "./place.ts";
import { devcontainer, dockerfile, dockerignore, workflow } from "./places.ts";
import { npmScripts, startsNpm } from "./scripts.ts";
import { settle, type Settings } from "../../command-line/settings.ts";
import { count, enumerate } from "../../core/text.ts";
import type { Command } from "../command.ts";
import { readIfThere, writeText, type NamedFile } from "../files.ts";

const EXAMPLES = [".env.example", ".env.sample", ".env.template", "example.env"];
const DEVCONTAINERS = [join(".devcontainer", "devcontainer.json"), ".devcontainer.json"];
const ORIGINS = ["example", "esc", "code"] as const;
type OriginName = (typeof ORIGINS)[number];

interface Answer {
  readonly found: readonly Found[];
  /** Where they were found, in words. */
  readonly where: string;
}

/** `sophia-run init`: creates what is missing, prints what is to be added to files that exist. */
export const init: Command = async ({ options }, context) => {
  const settings = settle(options, context.environment);
  const { from } = options;
  const asked = ORIGINS.filter((name) => Array.isArray(from) && from.includes(name));
  await startContract(asked, settings, context);
  for (const place of await placesOf(options["edit-scripts"] === true, context)) settlePlace(place, context);
  context.out("\nNext: refine the contract, then sophia-run check and sophia-run docs\n");
  return ExitStatus.ok;
};

async function placesOf(edit: boolean, context: Context): Promise<readonly Place[]> {
  const read = (file: string): Promise<string | undefined> => readIfThere(named(file, context));
  const isThere = (file: string): boolean => existsSync(join(context.cwd, file));
  const text = await read("package.json");
  const project: Project = {
    name: basename(context.cwd),
    // One that is not JSON is a manifest without anything in it.
    manifest: text === undefined ? undefined : (parseManifest(text) ?? {}),
    hasNpmLock: isThere("package-lock.json"),
  };
  const image = await read("Dockerfile");
  const images = dockerfile(image, project);
  const container = DEVCONTAINERS.find(isThere) ?? DEVCONTAINERS[0] ?? "";
  return [
    ...npmScripts(text, { edit, startsByNpm: startsNpm(image, await read("Procfile")) }),
    ...images,
    ...dockerignore(isThere(".dockerignore"), images),
    ...devcontainer(container, await read(container), project),
    ...workflow(isThere(".github") ? await workflowsOf(context) : undefined, project),
  ];
}

/** The texts of the repository's workflows. */
async function workflowsOf(context: Context): Promise<readonly string[]> {
  const folder = join(".github", "workflows");
  if (!existsSync(join(context.cwd, folder))) return [];
  const files = readdirSync(join(context.cwd, folder)).filter((name) => /\.ya?ml$/.test(name));
  const texts = await Promise.all(files.map((name) => readIfThere(named(join(folder, name), context))));
  return texts.filter((text) => text !== undefined);
}

async function startContract(asked: readonly OriginName[], settings: Settings, context: Context): Promise<void> {
  if (existsSync(join(context.cwd, CONTRACT_FILE_NAME))) {
    context.out(`${CONTRACT_FILE_NAME} exists and stays as it is\n`);
    return;
  }
  const answers: Answer[] = [];
  for (const name of asked.length > 0 ? asked : ORIGINS) {
    const answer = await look(name, settings, context);
    if (answer === undefined && asked.length > 0) throw nothingThere(name);
    if (answer !== undefined && answer.found.length > 0) answers.push(answer);
    if (asked.length === 0 && answers.length > 0) break;
  }
  const found = joinFound(answers.map((answer) => answer.found));
  if (found.length === 0) {
    throw new SophiaError({
      code: "init-nothing",
      message: "no variable was found to start a contract with",
      hint: "add a .env.example, set ESC_ENV and ESC_TOKEN, or start where the code is",
    });
  }
  writeText(named(CONTRACT_FILE_NAME, context), contractText(found), "wx");
  context.out(
    `created ${CONTRACT_FILE_NAME}: ${count(found.length, "variable")} from ${enumerate(answers.map(({ where }) => where))}\n`,
  );
}

/** `undefined` if there is nothing to read. */
async function look(name: OriginName, settings: Settings, context: Context): Promise<Answer | undefined> {
  switch (name) {
    case "example": {
      const file = EXAMPLES.find((one) => existsSync(join(context.cwd, one)));
      const text = file === undefined ? undefined : await readIfThere(named(file, context));
      return file === undefined || text === undefined ? undefined : { found: fromExample(text), where: file };
    }
    case "esc": {
      const found = await fromEsc(settings, context);
      return found === undefined ? undefined : { found, where: "ESC" };
    }
    case "code": {
      const { found, files, cut } = scanCode(context.cwd);
      return { found, where: `the code (${count(files, "file")}${cut ? ", and there are more" : ""})` };
    }
  }
}

function nothingThere(name: OriginName): SophiaError {
  return new SophiaError({
    code: "init-source",
    message:
      name === "esc"
        ? "--from esc: ESC_ENV and ESC_TOKEN are not both set"
        : `--from ${name}: there is no .env.example`,
    hint: name === "esc" ? "set both, or start --from example or --from code" : "start --from esc or --from code",
  });
}

function settlePlace(place: Place, context: Context): void {
  switch (place.kind) {
    case "create":
      writeText(named(place.file, context), place.text, "wx");
      context.out(`created ${place.file}\n`);
      return;
    case "edit":
      writeText(named(place.file, context), place.text);
      context.out(`changed ${place.file}: ${place.done}\n${remarkOf(place)}`);
      return;
    case "advise":
      context.out(
        `\n${place.file}: ${place.title ?? "add"}\n${place.lines.map((line) => `  ${line}\n`).join("")}${remarkOf(place)}`,
      );
      return;
    case "ready":
      context.out(`${place.file} uses sophia-run already\n`);
      return;
  }
}

function remarkOf({ remark }: { readonly remark?: string }): string {
  return remark === undefined ? "" : `  (${remark})\n`;
}

function named(file: string, { cwd }: Context): NamedFile {
  return { path: join(cwd, file), name: file };
}
