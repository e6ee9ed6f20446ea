/** Reads where the variables of a start come from, for the remarks beside the output of the demo. */
import { type CommandSetting, run } from "./command.ts";
import { list, parse, property } from "./json.ts";

/** Returns the origins of a run's variables by name, in words, from `sophia-run explain --json`. */
export async function origins(
  variables: Readonly<Record<string, string>>,
  place: CommandSetting,
): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await run({ variables, words: ["sophia-run", "explain", "--all", "--json"] }, place);
  const found = new Map<string, string>();
  for (const entry of list(property(parse(stdout), "variables"))) {
    const name = property(entry, "name");
    if (typeof name !== "string") continue;
    const withheld = list(property(entry, "withheld")).some((one) => property(one, "why") === "launcher");
    found.set(name, withheld ? "withheld" : describe(property(entry, "origin")));
  }
  return found;
}

function describe(origin: unknown): string {
  const text = (name: string): string => {
    const value = property(origin, name);
    return typeof value === "string" || typeof value === "number" ? String(value) : "";
  };
  switch (text("source")) {
    case "esc": {
      const imported = text("importedFrom");
      return imported === "" ? `ESC ${text("environment")}` : `ESC, imported from ${imported}`;
    }
    case "environment":
      return "the environment";
    case "dotenv":
      return `${text("file")}, line ${text("line")}`;
    default:
      return "";
  }
}
