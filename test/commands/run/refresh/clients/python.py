"""Calls STS and S3 by boto3 for LASTS ms, and prints how many calls there were, and which failed."""
import json
import os
import time

import boto3
from botocore.config import Config

config = Config(retries={"total_max_attempts": 1})
sts = boto3.client("sts", config=config)
s3 = boto3.client("s3", config=config)
end = time.time() + int(os.environ["LASTS"]) / 1000
calls, failed = 0, []
while time.time() < end:
    for call in (sts.get_caller_identity, s3.list_buckets):
        calls += 1
        try:
            call()
        except Exception as error:
            failed.append(repr(error))
    time.sleep(0.25)
print(json.dumps({"calls": calls, "failed": failed}))
