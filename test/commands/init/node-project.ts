/** What init finds out about a project with a package.json, for the tests of functions that take it. */
import type { Project } from "../../../src/commands/init/project-survey.ts";

export const NODE_PROJECT: Project = {
  manifest: {},
  python: undefined,
  name: "app",
  title: undefined,
  node: { name: "npm", isLocked: true },
  workspace: { root: "/", member: "", manifest: {}, hasMembers: false },
};
