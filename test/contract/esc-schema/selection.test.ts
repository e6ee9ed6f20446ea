/** The description of a schema in ESC stores the selection of variables for the next `enforce`. */
import { expect, test } from "vitest";
import {
  describeSchemaWriter,
  parseDescription,
  type EnforcedGlobs,
} from "../../../src/contract/esc-schema/contract-schema.ts";

test.each<[EnforcedGlobs, EnforcedGlobs]>([
  [
    { only: [], except: [] },
    { only: [], except: [] },
  ],
  [
    { only: ["DB_*", "A?"], except: ["DB_OLD.x-y"] },
    { only: ["DB_*", "A?"], except: ["DB_OLD.x-y"] },
  ],
  // A glob with a quote matches no variable. The others must not be lost with it.
  [
    { only: ["DB_*", "it's"], except: ['"', "OLD"] },
    { only: ["DB_*"], except: ["OLD"] },
  ],
])("the description for %j stores the globs that can match a variable", (selection, stored) => {
  expect(parseDescription(describeSchemaWriter(selection))).toEqual(stored);
});

const WRITTEN = describeSchemaWriter({ only: ["DB_*"], except: [] });

test.each(["The values of the shop", "", `Note: ${WRITTEN}`, `${WRITTEN} Or ask Ann.`, WRITTEN.replace("DB_*", "")])(
  "a description that enforce has not written stores no selection: %j",
  (description) => {
    expect(parseDescription(description)).toBeUndefined();
  },
);

test.each<[EnforcedGlobs, string]>([
  [{ only: [], except: [] }, 'Written by "sophia-run enforce". Change the contract and run it again.'],
  [
    { only: ["DB_*", "A?"], except: ["DB_OLD"] },
    `Written by "sophia-run enforce --only 'DB_*,A?' --except 'DB_OLD'". Change the contract and run it again.`,
  ],
])("the description for %j names the command that wrote the schema", (selection, description) => {
  expect(describeSchemaWriter(selection)).toBe(description);
});
