/** The word by which a launcher that ends starts the process that goes on masking. */
export const CONTINUE_CALL = "--continue-redaction";
