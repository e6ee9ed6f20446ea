import type { Contract } from "../contract/model.ts";
import type { Notice } from "../core/model.ts";
import type { DotenvReading } from "../sources/dotenv/index.ts";

/** A notice for each `.env` file that everybody may read and that has a token or a secret of the contract in it. */
export function exposedNotices(
  { files, layers }: Pick<DotenvReading, "files" | "layers">,
  { aliases, variables }: Contract,
): readonly Notice[] {
  const exposed = new Set(files.filter((file) => file.exposed === true).map(({ path }) => path));
  if (exposed.size === 0) return [];
  const isSecret = (name: string): boolean =>
    name === "ESC_TOKEN" || variables.get(aliases.get(name) ?? name)?.secret === true;
  const told = new Set<string>();
  for (const layer of layers) {
    for (const { name, value, origin } of layer.variables) {
      const isIn = origin.source === "dotenv" && exposed.has(origin.file);
      if (isIn && value !== "" && isSecret(name)) told.add(origin.file);
    }
  }
  return Array.from(told, (file) => ({ kind: "exposed", file }));
}
