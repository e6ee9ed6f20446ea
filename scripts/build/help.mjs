// The tables of the help texts as constants, for the executables: so these need no yargs, which is most of the code of help.
import { tsImport } from "tsx/esm/api";

const MODULE = "src/commands/help/help-table.ts";

/** @returns a plugin for the bundler, which replaces {@link MODULE} by all that it can return */
export async function renderedHelp() {
  const { createHelpTable } = await tsImport(`../../${MODULE}`, import.meta.url);
  const { COMMAND_NAMES } = await tsImport("../../src/command-line/command-line.ts", import.meta.url);
  const { TOPIC_NAMES } = await tsImport("../../src/commands/help/topics.ts", import.meta.url);
  const tables = await Promise.all(
    [undefined, ...COMMAND_NAMES, ...TOPIC_NAMES].map(async (name) => [
      name,
      [await createHelpTable(name, false), await createHelpTable(name, true)],
    ]),
  );
  const code = `const TABLES = ${JSON.stringify(Object.fromEntries(tables))};
    export const createHelpTable = async (name, isFull) => TABLES[name][isFull ? 1 : 0];`;
  return {
    name: "rendered-help",
    load: { filter: { id: new RegExp(`/${MODULE}$`) }, handler: () => code },
  };
}
