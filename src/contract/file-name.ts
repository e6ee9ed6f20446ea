/** The name under which a repository's contract is found. */
export const CONTRACT_FILE_NAME = "sophia.contract.json";
