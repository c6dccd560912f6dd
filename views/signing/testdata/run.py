import json
import runpy
import sys

verify = runpy.run_path(sys.argv[1])["verify"]
for case in json.load(sys.stdin):
    print("true" if verify(case["secret"], case["headers"], case["body"].encode()) else "false")
