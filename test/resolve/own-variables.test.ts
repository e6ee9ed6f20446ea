/** The list of sophia-run's own variables, which programs get from the process environment alone. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { SOCKET_VARIABLE } from "../../src/broker/broker-variables.ts";
import { REFUSED_VARIABLE } from "../../src/command-line/options.ts";
import { BROKERED_VARIABLE } from "../../src/contract/broker/broker-model.ts";
import { FROM_FILES } from "../../src/esc/settings/from-files.ts";
import { REFRESHED_VARIABLE } from "../../src/resolve/outer-refresh.ts";
import { OWN_VARIABLES } from "../../src/resolve/reserved-names.ts";

/** Names that one sophia-run sets for another, and one that is refused. */
const UNDOCUMENTED = [FROM_FILES, BROKERED_VARIABLE, REFRESHED_VARIABLE, SOCKET_VARIABLE, REFUSED_VARIABLE];

test("docs/reference.md lists them all, and no other", () => {
  const reference = readFileSync("docs/reference.md", "utf8");
  // The lists begin each line with the name, or have it behind the option.
  const listed = Array.from(reference.matchAll(/^- (?:.* or )?`((?:ESC|SOPHIA)_[A-Z_]+)`/gm), ([, name]) => name);
  expect(listed.length).toBeGreaterThan(50);
  expect(listed).toHaveLength(new Set(listed).size);
  expect(new Set([...listed, ...UNDOCUMENTED])).toEqual(OWN_VARIABLES);
});
