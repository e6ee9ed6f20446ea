"""Asks a stub of Entra for tokens with azure-identity for LASTS ms, and prints how many calls there were, and which failed."""
import json
import os
import time

from azure.identity import DefaultAzureCredential, WorkloadIdentityCredential

kept = WorkloadIdentityCredential(disable_instance_discovery=True)


def kept_token(number):
    # It keeps the content of the file for ten minutes, which is longer than these tokens live.
    if time.time() - kept._last_read_time > 1:
        kept._last_read_time = 0
    # For a scope that it has asked for, it would return the same access token.
    kept.get_token(f"api://kept-{number}/.default")


def new_token(number):
    with DefaultAzureCredential(disable_instance_discovery=True) as credential:
        credential.get_token(f"api://new-{number}/.default")


end = time.time() + int(os.environ["LASTS"]) / 1000
calls, failed = 0, []
while time.time() < end:
    for call in (kept_token, new_token):
        calls += 1
        try:
            call(calls)
        except Exception as error:
            failed.append(repr(error))
    time.sleep(0.25)
print(json.dumps({"calls": calls, "failed": failed}))
