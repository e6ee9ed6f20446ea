"""Calls a stub of a Google API with google-auth for LASTS ms, and prints how many calls there were, and which failed."""
import json
import os
import time

import google.auth
from google.auth.transport.requests import AuthorizedSession

SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]


def session():
    credentials, _ = google.auth.default(scopes=SCOPES)
    # Does not try again after a 401, which would hide one.
    return AuthorizedSession(credentials, refresh_status_codes=())


kept = session()
end = time.time() + int(os.environ["LASTS"]) / 1000
calls, failed = 0, []
while time.time() < end:
    for name, of in (("kept", lambda: kept), ("new", session)):
        calls += 1
        try:
            of().get(f"{os.environ['GOOGLE_API']}/{name}").raise_for_status()
        except Exception as error:
            failed.append(repr(error))
    time.sleep(0.25)
print(json.dumps({"calls": calls, "failed": failed}))
