export const CONTRACT_FILE_NAME = "sophia.contract.json";
