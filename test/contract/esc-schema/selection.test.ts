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

test("a description that enforce has not written stores no selection", () => {
  expect(parseDescription("The values of the shop")).toBeUndefined();
});
