/** The list of sophia-run's own variables, which programs get only from the process environment. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { SOCKET_VARIABLE } from "../../src/broker/broker-variables.ts";
import { REFUSED_VARIABLE } from "../../src/command-line/options.ts";
import { BROKERED_VARIABLE } from "../../src/contract/broker/broker-model.ts";
import { FROM_FILES } from "../../src/esc/settings/from-files.ts";
import { REFRESHED_VARIABLE } from "../../src/resolve/outer-refresh.ts";
import { OWN_VARIABLES } from "../../src/resolve/reserved-names.ts";

/** Variables that one sophia-run sets for a nested one, and a variable that is refused. */
const UNDOCUMENTED_VARIABLES = [FROM_FILES, BROKERED_VARIABLE, REFRESHED_VARIABLE, SOCKET_VARIABLE, REFUSED_VARIABLE];

test("docs/reference.md lists all of sophia-run's variables, and no others", () => {
  const reference = readFileSync("docs/reference.md", "utf8");
  // Each line of the lists begins with the name, or has the name after the option.
  const listed = Array.from(reference.matchAll(/^- (?:`-[^`]+`, )*`((?:ESC|SOPHIA)_[A-Z_]+)`/gm), ([, name]) => name);
  expect(listed.length).toBeGreaterThan(50);
  expect(listed).toHaveLength(new Set(listed).size);
  expect(new Set([...listed, ...UNDOCUMENTED_VARIABLES])).toEqual(OWN_VARIABLES);
});
