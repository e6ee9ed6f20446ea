import { docker } from "./docker.ts";
import { dotenv } from "./dotenv.ts";
import type { VariableFormat } from "./format.ts";
import { fish } from "./fish.ts";
import { github } from "./github.ts";
import { json } from "./json.ts";
import { shell } from "./shell.ts";

/** The formats of `sophia-run export`, by the name that `--format` takes. */
export const EXPORT_FORMATS: Readonly<Record<string, VariableFormat>> = { dotenv, shell, fish, json, github, docker };
