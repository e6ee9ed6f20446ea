import { HttpClient, type HttpAnswer, type HttpRequest } from "../../network/http.ts";
import { NetworkError } from "../../network/fault.ts";
import { EscFault } from "../faults/fault.ts";

/** An HTTP client for ESC, with as much of axios's interface as the ESC SDK uses. */
export class EscClient extends HttpClient {
  readonly defaults: { readonly baseURL?: string } = {};

  /** @throws EscFault if there is no complete answer of any status */
  override request(config: HttpRequest): Promise<HttpAnswer> {
    return super.request(config).catch((error: unknown) => {
      throw error instanceof NetworkError ? new EscFault(error.fault) : error;
    });
  }
}
