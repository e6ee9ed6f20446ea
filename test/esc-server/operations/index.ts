/** Names the function that answers each operation of the ESC server. dispatcher.ts looks it up. */
import type { Operation } from "../routes.ts";
import type { Handler } from "../world.ts";
import { changeRequest, metadata, requestOpen, submitChangeRequest } from "./approvals.ts";
import { createDraft, createEnvironment, decrypt, definition, deleteEnvironment, etag, update } from "./definitions.ts";
import { check, checkYaml, open, read } from "./evaluation.ts";
import { exchangeToken } from "./exchange.ts";
import { referrers } from "./referrers.ts";
import { rotate } from "./rotation.ts";
import { list } from "./list.ts";
import {
  createRevisionTag,
  deleteRevisionTag,
  getRevisionTag,
  listRevisionTags,
  revisions,
  updateRevisionTag,
} from "./revisions.ts";
import { createToken, deleteToken, listRoles, listTokens } from "./tokens.ts";
import { defaultOrg, user } from "./user.ts";

export const HANDLERS: Readonly<Record<Operation, Handler>> = {
  changeRequest,
  check,
  checkYaml,
  createDraft,
  createEnvironment,
  createRevisionTag,
  createToken,
  decrypt,
  defaultOrg,
  definition,
  deleteEnvironment,
  deleteRevisionTag,
  deleteToken,
  etag,
  exchangeToken,
  getRevisionTag,
  list,
  listRevisionTags,
  listRoles,
  listTokens,
  metadata,
  open,
  read,
  referrers,
  requestOpen,
  revisions,
  rotate,
  submitChangeRequest,
  update,
  updateRevisionTag,
  user,
};
