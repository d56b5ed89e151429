#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints what is below a prefix as boto3 sees it. A client that is not ours: what our own signature
and encoding got wrong twice would look right to ourselves.

    stored_objects.py objects PREFIX    one a line: SHA-256, size, ETag, type, encryption and its key, key
    stored_objects.py uploads PREFIX    the key of each upload that has begun and not ended

With the variables of tools/s3 in the environment."""

import hashlib
import os
import sys

import boto3
import botocore.config

os.environ["no_proxy"] = "127.0.0.1,localhost"  # whatever the machine has for others
client = boto3.client(
    "s3", endpoint_url=os.environ["S3_ENDPOINT"], region_name="us-east-1",
    aws_access_key_id=os.environ["S3_ACCESS_KEY"],
    aws_secret_access_key=os.environ["S3_SECRET_KEY"],
    config=botocore.config.Config(s3={"addressing_style": "path"}))
bucket = os.environ["S3_BUCKET"]
about, prefix = sys.argv[1:]
if about == "uploads":
    for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket,
                                                                        Prefix=prefix):
        for found in page.get("Uploads", []):
            print(found["Key"])
    sys.exit()
for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
    for found in page.get("Contents", []):
        answer = client.get_object(Bucket=bucket, Key=found["Key"])
        content = answer["Body"].read()
        etag = answer["ETag"].strip('"')
        encryption = f"{answer.get('ServerSideEncryption', '-')} {answer.get('SSEKMSKeyId', '-')}"
        line = (f"{hashlib.sha256(content).hexdigest()} {len(content)} {etag} "
                f"{answer['ContentType']} {encryption}")
        sys.stdout.buffer.write(f"{line} {found['Key']}\n".encode())
